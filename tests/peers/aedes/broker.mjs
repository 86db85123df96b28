// aedes on 127.0.0.1: node broker.mjs PORT. Sessions are kept in memory.
import { Aedes } from 'aedes'
import { createServer } from 'node:net'

const aedes = await Aedes.createBroker()
createServer(aedes.handle).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('running'))
