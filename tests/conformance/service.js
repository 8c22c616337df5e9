// Microsoft's service client for the hub, driven as device.js drives the device's: one JSON command a line in, one
// JSON answer a line out.
'use strict';

const readline = require('readline');
const { Client, JobClient, Registry } = require('azure-iothub');

let client = null;
let registry = null;
let jobs = null;

const commands = {
  async connect({ connection }) {
    client = Client.fromConnectionString(connection);
    registry = Registry.fromConnectionString(connection);
    jobs = JobClient.fromConnectionString(connection);
    return {};
  },
  async invoke({ device, module, method }) {
    const answer = module ? await client.invokeDeviceMethod(device, module, method)
                          : await client.invokeDeviceMethod(device, method);
    return { result: answer.result };
  },
  async query({ query, size, twins }) {
    const pages = [];
    const cursor = registry.createQuery(query, size);
    do {
      pages.push((await (twins ? cursor.nextAsTwin() : cursor.next())).result);
    } while (cursor.hasMoreResults);
    return { pages };
  },
  // Any call of Registry by its name; what it answers with, without the response of the transport.
  async registry({ call, with: parameters }) {
    const answer = await registry[call](...parameters);
    return { result: answer && answer.responseBody !== undefined ? answer.responseBody : answer };
  },
  // Any call of JobClient; `start` becomes a Date in its place.
  async job({ call, with: parameters, start }) {
    const given = [...parameters];
    if (start) given[3] = new Date(start);
    return { result: (await jobs[call](...given)).jobStatus };
  },
  async jobPages({ type, status, size }) {
    const pages = [];
    const cursor = jobs.createQuery(type, status, size);
    do {
      // Without an argument next() asks for the first page again.
      pages.push((await cursor.next(cursor.continuationToken)).result);
    } while (cursor.hasMoreResults);
    return { pages };
  },
};

async function answer(line) {
  try {
    const command = JSON.parse(line);
    return { ok: true, ...(await commands[command.do](command)) };
  } catch (error) {
    return { ok: false, error: error.constructor.name, name: error.name, message: String(error.message),
             body: error.responseBody };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    answer(line).then((text) => process.stdout.write(JSON.stringify(text) + '\n'));
})();
