// Microsoft's Event Hubs client, driven as device.js drives the device's: one JSON command a line in, one JSON answer
// a line out.
'use strict';

const readline = require('readline');
const { EventHubConsumerClient } = require('@azure/event-hubs');
const WebSocket = require('ws');

const clients = new Map();
const received = [];
const errors = [];
const subscriptions = [];
let arrived = () => {};

const retryOptions = { maxRetries: 0, timeoutInMs: 20000 };

function client(name = 'main') {
  return clients.get(name);
}

function toJson(event, partition, subscription) {
  return { subscription, partition, body: Buffer.from(event.body).toString('base64'),
           offset: String(event.offset), sequence: Number(event.sequenceNumber), enqueued: event.enqueuedTimeUtc.getTime(),
           properties: event.properties, system: event.systemProperties, messageId: event.messageId,
           contentType: event.contentType };
}

function position({ earliest, latest, offset, sequence, enqueued, inclusive }) {
  if (earliest) return { offset: '-1' };
  if (latest) return { offset: '@latest' };
  if (offset !== undefined) return { offset, isInclusive: inclusive };
  if (sequence !== undefined) return { sequenceNumber: sequence, isInclusive: inclusive };
  return { enqueuedOn: enqueued };
}

const commands = {
  async connect({ connection, group = '$Default', as = 'main', over = 'tls' }) {
    const webSocketOptions = over === 'websocket' ? { webSocket: WebSocket } : undefined;
    clients.set(as, new EventHubConsumerClient(group, connection, { retryOptions, webSocketOptions }));
    return {};
  },
  async partitions({ as }) { return { ids: await client(as).getPartitionIds() }; },
  async hub({ as }) { return { hub: await client(as).getEventHubProperties() }; },
  async partition({ as, id }) { return { partition: await client(as).getPartitionProperties(id) }; },
  async subscribe({ as = 'main', partition, from, ownerLevel }) {
    const handlers = {
      processEvents: async (events, context) => {
        for (const event of events) received.push(toJson(event, context.partitionId, as));
        arrived();
      },
      processError: async (error) => {
        errors.push({ as, code: error.code, name: error.name, message: error.message });
        arrived();
      },
    };
    const options = { startPosition: position(from), ownerLevel, maxWaitTimeInSeconds: 1, skipParsingBodyAsJson: true };
    subscriptions.push(partition === undefined ? client(as).subscribe(handlers, options)
                                               : client(as).subscribe(partition, handlers, options));
    return {};
  },
  async received({ count }) {
    while (received.length < count) await new Promise((resolve) => { arrived = resolve; });
    return { events: received.splice(0) };
  },
  async errors({ count = 0 }) {
    while (errors.length < count) await new Promise((resolve) => { arrived = resolve; });
    return { errors: errors.splice(0) };
  },
  async stop() {
    for (const subscription of subscriptions.splice(0)) await subscription.close();
    received.length = 0;
    return {};
  },
  async close() {
    for (const each of clients.values()) await each.close();
    return {};
  },
};

async function answer(line) {
  try {
    const command = JSON.parse(line);
    return { ok: true, ...(await commands[command.do](command)) };
  } catch (error) {
    return { ok: false, error: error.constructor.name, name: error.name, code: error.code, message: String(error.message) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    answer(line).then((text) => process.stdout.write(JSON.stringify(text) + '\n'));
  process.exit(0);  // the client keeps a connection that was refused, and its timers
})();
