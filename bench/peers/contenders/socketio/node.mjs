import { Server } from 'socket.io'
import { AddInput, add, tick } from '../../app.ts'

export const attachNode = ({ http }) => {
  const io = new Server(http, { transports: ['websocket'], maxHttpBufferSize: 1e8, serveClient: false })
  io.on('connection', (socket) => {
    socket.on('add', (input, answer) => answer(add(input)))
    socket.on('addZod', (input, answer) => answer(add(AddInput.parse(input))))
    socket.on('echo', (value, answer) => answer(value))
    socket.on('ticks', (n, answer) => {
      for (let k = 0; k < n; k++) socket.emit('event', tick(k))
      answer()
    })
    socket.on('join', (id, answer) => {
      socket.join(`room${id}`)
      answer()
    })
    socket.on('leave', (id, answer) => {
      socket.leave(`room${id}`)
      answer()
    })
    socket.on('publish', (k, answer) => {
      io.to('room1').emit('event', tick(k))
      answer()
    })
  })
}
