// What arrives is shown with textContent alone: devices choose their names, properties and bodies.
'use strict';

const rowsKept = 100;
const devicesShown = 500;
const devicesAsked = 5000;
const charactersShown = 300;
const pause = 2000; // ms, between two looks and before another try

const at = id => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

const shortened = text => text.length > charactersShown ? text.slice(0, charactersShown) + '…' : text;

function bodyText(base64) {
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function showMessage(message) {
  const body = at('messages').tBodies[0];
  const row = document.createElement('tr');
  const device = message.module ? `${message.device}/${message.module}` : message.device;
  const properties = Object.entries(message.properties ?? {}).map(([name, value]) => `${name}=${value ?? ''}`).join(' ');
  for (const text of [message.offset, message.enqueued.slice(11, 23), device, properties, bodyText(message.body)])
    row.append(element('td', shortened(String(text))));
  body.prepend(row);
  while (body.rows.length > rowsKept) body.deleteRow(-1);
  at('messages').hidden = false;
  at('no-messages').hidden = true;
}

async function get(path) {
  const answer = await fetch(path, {cache: 'no-store'});
  if (!answer.ok) throw new Error(path);
  return answer;
}

const lines = text => text.split('\n').filter(line => line).map(line => JSON.parse(line));

function readMetrics(text) {
  const found = new Map();
  for (const [, name, value] of text.matchAll(/^mitral_cloud_(\w+) (\d+)$/gm)) found.set(name, Number(value));
  return found;
}

function showFigures(metrics) {
  const shown = [['messages', 'messages_total'], ['connected', 'connected_clients'], ['connects', 'connects_total'],
                 ['refused', 'connects_refused_total'], ['log, MB', 'log_bytes']];
  if (metrics.get('log_missing_messages')) shown.push(['damaged in the log', 'log_missing_messages']);
  if (metrics.has('quota_messages')) shown.push(['quota', 'quota_messages'], ['used today', 'quota_messages_used']);
  at('figures').replaceChildren(...shown.map(([label, name]) => {
    const value = metrics.get(name) ?? 0;
    const box = document.createElement('div');
    const figure = name === 'log_bytes' ? (value / 1e6).toFixed(1) : value;
    box.append(element('dt', label), element('dd', figure, name === 'log_missing_messages' ? 'bad' : ''));
    return box;
  }));
}

function showDevices(devices) {
  devices.sort((a, b) => b.connected - a.connected);
  const shown = devices.slice(0, devicesShown).map(device => {
    const state = device.status === 'disabled' ? 'disabled' : device.connected ? 'connected' : 'away';
    return element('li', `${device.deviceId}: ${state}`, device.connected ? 'on' : '');
  });
  if (devices.length > devicesShown) shown.push(element('li', `and ${devices.length - devicesShown}${devices.length < devicesAsked ? '' : ' or'} more`));
  at('devices').replaceChildren(...shown);
  at('no-devices').hidden = devices.length > 0;
}

function showDeployments(deployments) {
  at('deployments').replaceChildren(...deployments.map(one => {
    const counts = [['in progress', one.inProgress], ['succeeded', one.succeeded], ['failed', one.failed],
                    ['cancelled', one.canceled]].map(([word, count]) => `${count} ${word}`).join(', ');
    const className = one.failed > 0 ? 'failed' : one.state === 'Active' ? 'on' : '';
    return element('li', `${one.groupId} / ${one.deploymentId}: ${one.update}, ${one.state}: ${counts}`, className);
  }));
  at('no-deployments').hidden = deployments.length > 0;
}

function showFaults(faults) {
  at('faults').replaceChildren(...faults.map(fault =>
    element('li', `${fault.name}: ${fault.on ? 'on' : 'off'}, struck ${fault.fired}`, fault.on ? 'on' : '')));
}

async function look() {
  const [metrics, devices, deployments, faults] =
      await Promise.all(['/metrics', `/devices?top=${devicesAsked}`, '/deployments', '/faults'].map(get));
  const numbers = readMetrics(await metrics.text());
  showFigures(numbers);
  showDevices(lines(await devices.text()));
  showDeployments(lines(await deployments.text()));
  showFaults((await faults.json()).faults);
  return numbers.get('log_end_offset') ?? 0;
}

let next = null; // the offset that is not shown yet

async function follow() {
  const end = await look();
  if (next === null || next > end) next = Math.max(0, end - rowsKept);
  const answer = await get(`/log?from=${next}&follow=1`);
  at('link').textContent = 'live';
  at('link').className = 'live';
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = '';;) {
    const {done, value} = await reader.read();
    if (done) return;
    const whole = (rest + value).split('\n');
    rest = whole.pop();
    for (const line of whole.filter(each => each)) {
      const message = JSON.parse(line);
      next = message.offset + 1;
      showMessage(message);
    }
  }
}

const wait = () => new Promise(resolve => setTimeout(resolve, pause));

async function keepFollowing() {
  for (;;) {
    await follow().catch(() => {});
    at('link').textContent = 'the server does not answer; trying again';
    at('link').className = 'waiting';
    await wait();
  }
}

async function keepLooking() {
  for (;;) {
    await wait();
    await look().catch(() => {});
  }
}

keepFollowing();
keepLooking();
