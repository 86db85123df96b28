// npm's kafkajs as a program:  node client.js VERB JSON
//
// VERB   produce   sends the records of a file; {"event": "acked", "records": N} after each part
//                  (the last part when told to by a line)
//        consume   reads in a group, prints, then commits; leaves at SIGTERM
//        admin     makes, tells and deletes topics and groups
// Prints one JSON object a line. A record is [topic, partition, offset, timestamp, key, value, [[name, value], ...]], bytes in base64, to be sent without the first three.
// kafkajs packs gzip itself; snappy, lz4 and zstd are given to it as its documentation says.
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = require('kafkajs')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const lz4 = require('lz4js')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress: async e => Buffer.from(lz4.compress(e.buffer)), decompress: async b => Buffer.from(lz4.decompress(b)) })
const zstd = new Promise(ready => require('zstd-codec').ZstdCodec.run(z => ready(new z.Simple())))
CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress: async e => Buffer.from((await zstd).compress(e.buffer)), decompress: async b => Buffer.from((await zstd).decompress(b)) })

const say = (event, what) => process.stdout.write(JSON.stringify({ event, ...what }) + '\n')
const packed = data => data == null ? null : data.toString('base64')
const unpacked = text => text == null ? null : Buffer.from(text, 'base64')
const [verb, order] = [process.argv[2], JSON.parse(process.argv[3])]
const kafka = new Kafka({ clientId: 'kafkajs', brokers: [order.broker], logLevel: logLevel.ERROR, retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 100 }, ...(order.sasl && { sasl: { ...order.sasl, mechanism: order.sasl.mechanism.toLowerCase() } }) })

// Of headers of the same name kafkajs makes one with a list.
function headersOf (list) {
  const headers = {}
  for (const [name, value] of list) headers[name] = name in headers ? [].concat(headers[name], unpacked(value)) : unpacked(value)
  return headers
}

const listOf = headers => Object.entries(headers).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map(v => [name, packed(v)]))

async function produce () {
  const records = readFileSync(order.file, 'ascii').trimEnd().split('\n').map(line => JSON.parse(line))
  const codec = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }[order.codec]
  const producer = kafka.producer({ idempotent: order.idempotent, maxInFlightRequests: 1 })
  await producer.connect()
  for (let start = 0; start < records.length; start += order.part) {
    if (order.wait && start + order.part >= records.length) await once(process.stdin, 'data')
    const messages = records.slice(start, start + order.part).map(([timestamp, key, value, headers]) => ({ key: unpacked(key), value: unpacked(value), headers: headersOf(headers), timestamp: String(timestamp) }))
    await producer.send({ topic: order.topic, acks: -1, compression: codec, messages })
    say('acked', { records: start + messages.length })
  }
  await producer.disconnect()
  process.stdin.destroy()
}

async function consume () {
  const consumer = kafka.consumer({ groupId: order.group, sessionTimeout: 6000, heartbeatInterval: 300, maxWaitTimeInMs: 100 })
  consumer.on(consumer.events.GROUP_JOIN, e => say('assigned', { partitions: (e.payload.memberAssignment[order.topic] ?? []).sort((a, b) => a - b) }))
  await consumer.connect()
  await consumer.subscribe({ topics: [order.topic], fromBeginning: true })
  process.once('SIGTERM', async () => {
    await consumer.disconnect()
    say('left')
    process.exit(0)
  })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, heartbeat }) => {
      if (batch.isEmpty()) return
      say('records', { records: batch.messages.map(m => [batch.topic, batch.partition, Number(m.offset), Number(m.timestamp), packed(m.key), packed(m.value), listOf(m.headers)]) })
      const next = Number(batch.lastOffset()) + 1
      await consumer.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset: String(next) }])
      say('committed', { offsets: [[batch.partition, next]] })
      await heartbeat()
    }
  })
}

async function admin () {
  const client = kafka.admin()
  const { topic, group, read } = order
  await client.connect()
  await client.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1, configEntries: [{ name: 'retention.ms', value: '3600000' }] }] })
  await client.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  const described = (await client.fetchTopicMetadata({ topics: [topic] })).topics[0]
  const retention = async () => (await client.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] })).resources[0].configEntries.find(e => e.configName === 'retention.ms').configValue
  say('created', { error: 0, partitions: described.partitions.map(p => p.partitionId).sort(), leaders: [...new Set(described.partitions.map(p => p.leader))], retention: await retention() })
  await client.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: '7200000' }] }] })
  say('altered', { retention: await retention() })
  if (!await client.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] })) say('refused', { code: 36 }) // how kafkajs tells TOPIC_ALREADY_EXISTS
  const groups = (await client.listGroups()).groups
  const about = (await client.describeGroups([group])).groups[0]
  const offsets = (await client.fetchOffsets({ groupId: group, topics: [read] }))[0].partitions.map(p => [p.partition, Number(p.offset)]).sort((a, b) => a[0] - b[0])
  say('groups', { names: groups.map(g => g.groupId).sort(), kind: groups.find(g => g.groupId === group)?.protocolType, state: about.state, members: about.members.length, offsets })
  const deleted = await client.deleteGroups([group])
  await client.deleteTopics({ topics: [topic, read] })
  say('deleted', { groups: deleted.map(g => [g.groupId, g.errorCode ?? 0]), topics: [[topic, 0], [read, 0]] })
  say('after', { groups: (await client.listGroups()).groups.map(g => g.groupId).sort(), topics: (await client.listTopics()).sort() })
  await client.disconnect()
}

say('client', { name: 'kafkajs', version: require('kafkajs/package.json').version })
const verbs = { produce, consume, admin }
verbs[verb]().catch(e => {
  console.error(e)
  process.exit(1)
})
