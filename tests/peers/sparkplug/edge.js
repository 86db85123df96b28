// An edge node by Eclipse Tahu's library: node edge.js PORT GROUP EDGE. It has a device, press1, and says on standard output what happens, one
// JSON object a line; on standard input it is told what to do, one JSON object a line:
//   {"do":"data","n":5}  NDATA, with "compress":"GZIP" or "DEFLATE" in that   {"do":"device","value":20.5}  DDATA   {"do":"lose"}  a number is used up, nothing is sent
//   {"do":"deaf"}  commands are not obeyed any more   {"do":"deviceDeath"}   {"do":"stop"}  NDEATH by itself, and the end
'use strict'
const sparkplug = require('sparkplug-client')

const [port, group, edge] = process.argv.slice(2)
const say = (event, more) => console.log(JSON.stringify({ event, ...more }))
const now = () => Date.now()
const state = { n: 0, temperature: 20.5, setpoint: 10, counter: 7, deaf: false }
const client = sparkplug.newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`, username: '', password: '', groupId: group, edgeNode: edge, clientId: `${group}-${edge}-${process.pid}`,
  version: 'spBv1.0', publishDeath: true, keepalive: 5, mqttOptions: { reconnectPeriod: 500 },
})
const metric = (name, type, value, more) => ({ name, type, value, timestamp: now(), ...more })
const setpoint = () => metric('Outputs/Setpoint', 'Int32', state.setpoint, { alias: 21 })
const counter = () => metric('Outputs/Counter', 'UInt32', state.counter)

function births (why) {
  client.publishNodeBirth({
    timestamp: now(),
    metrics: [
      metric('Node Control/Rebirth', 'Boolean', false),
      metric('n', 'Int32', state.n, { alias: 11 }), metric('uptime', 'Int64', 86400),
      metric('int8', 'Int8', -10), metric('int16', 'Int16', -30000), metric('int64', 'Int64', -5), metric('uint8', 'UInt8', 250), metric('uint16', 'UInt16', 65000),
      metric('uint32', 'UInt32', 4294967295), metric('uint64', 'UInt64', 9007199254740991), metric('float', 'Float', 1.5), metric('double', 'Double', -2.25),
      metric('boolean', 'Boolean', true), metric('string', 'String', 'täxt'), metric('text', 'Text', 'long'), metric('uuid', 'UUID', '5e0f37f8-5d84-44a5-8d36-8a4d8e1f1bd8'),
      metric('time', 'DateTime', 1700000000123), metric('bytes', 'Bytes', Buffer.from([1, 2, 255])),
      metric('set', 'DataSet', { numOfColumns: 2, columns: ['name', 'ok'], types: ['String', 'Boolean'], rows: [['a', true], ['b', false]] }),
      metric('motor', 'Template', { version: '1', templateRef: 'Motor', isDefinition: false, metrics: [metric('rpm', 'Int32', -3)], parameters: [{ name: 'maker', type: 'String', value: 'acme' }] }),
      metric('stale', 'Int32', 3, { properties: { Quality: { type: 'Int32', value: 500 } } }),
      metric('nothing', 'Int32', null),
    ],
  })
  client.publishDeviceBirth('press1', {
    timestamp: now(),
    metrics: [metric('Inputs/Temperature', 'Float', state.temperature, { alias: 20, properties: { engUnit: { type: 'String', value: '°C' } } }), setpoint(), counter()],
  })
  say('born', { why })
}

client.on('birth', () => births('connected'))
client.on('ncmd', payload => {
  if (payload.metrics.some(m => m.name === 'Node Control/Rebirth' && m.value) && !state.deaf) births('rebirth')
})
client.on('dcmd', (device, payload) => {
  say('command', { device, names: payload.metrics.map(m => m.name ?? null), values: payload.metrics.map(m => Number(m.value)) })
  if (state.deaf) return
  for (const m of payload.metrics) {
    if (m.name === 'Outputs/Counter') state.counter = Number(m.value)
    else state.setpoint = Number(m.value)
  }
  client.publishDeviceData(device, { timestamp: now(), metrics: [setpoint(), counter()] })
})
client.on('error', error => say('error', { message: String(error) }))

const acts = {
  data: ({ n, compress }) => client.publishNodeData({ timestamp: now(), metrics: [{ alias: 11, type: 'Int32', value: state.n = n, timestamp: now() }] }, compress && { compress: true, algorithm: compress }),
  device: ({ value }) => client.publishDeviceData('press1', { timestamp: now(), metrics: [{ alias: 20, type: 'Float', value: state.temperature = value, timestamp: now() }] }),
  lose: () => client.incrementSeqNum(),
  deaf: () => { state.deaf = true },
  deviceDeath: () => client.publishDeviceDeath('press1', { timestamp: now(), metrics: [] }),
  stop: () => client.stop(),
}
require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
  const order = JSON.parse(line)
  acts[order.do](order)
})
