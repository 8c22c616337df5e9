// Microsoft's service client for DPS, driven as device.js drives the device's.
'use strict';

const readline = require('readline');
const { ProvisioningServiceClient } = require('azure-iot-provisioning-service');

let client = null;

// The older of both ways to call this client: some of its promises are never kept, and queries forget their place.
function answered(object, name, parameters) {
  return new Promise((resolve, reject) => {
    object[name](...parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

const commands = {
  async connect({ connection }) {
    client = ProvisioningServiceClient.fromConnectionString(connection);
    return {};
  },
  // Any call by its name; what it answers with.
  async call({ name, with: parameters }) {
    return { result: await answered(client, name, parameters) };
  },
  async pages({ name, with: parameters }) {
    const pages = [];
    const query = client[name](...parameters);
    do {
      pages.push(await answered(query, 'next', []));
    } while (query.hasMoreResults);
    return { pages };
  },
};

async function answer(line) {
  try {
    const command = JSON.parse(line);
    return { ok: true, ...(await commands[command.do](command)) };
  } catch (error) {
    return { ok: false, error: error.constructor.name, name: error.name, message: String(error.message) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    process.stdout.write(JSON.stringify(await answer(line)) + '\n');
  process.exit(0);
})();
