// Import first. Tools that would like to phone home are told not to: on a closed network they hang, and nobody asked them.
Object.assign(process.env, {
  CLOUDFLARE_CF_FETCH_ENABLED: 'false', // miniflare's `cf` object
  DO_NOT_TRACK: '1',
  NO_UPDATE_NOTIFIER: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  WRANGLER_HIDE_BANNER: 'true', // the banner looks for updates
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_SEND_METRICS: 'false',
})
