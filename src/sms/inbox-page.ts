/** The page at `/dev/inbox`: a phone's list of messages, live. */
export const INBOX_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey inbox</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --line: #d9dde5; --muted: #5b6475; --back: #f6f7f9; --card: #fff; --text: #1d2330; --link: #1d5fd1; }
@media (prefers-color-scheme: dark) {
  :root { --line: #2d3342; --muted: #98a2b3; --back: #11141b; --card: #1a1f2b; --text: #e4e7ee; --link: #8ab4ff; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.45 system-ui, sans-serif; background: var(--back); color: var(--text); }
main { max-width: 40rem; margin: 0 auto; padding: 1rem; }
header, .row, .line { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
h1 { font-size: 1.3rem; margin: .3rem 0; }
a { color: var(--link); }
.row, #state, .about { color: var(--muted); font-size: .9rem; }
.about { margin: .2rem 0 .8rem; }
input { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; margin-bottom: .8rem; }
ol { list-style: none; margin: 0; padding: 0; }
li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .8rem 1rem; margin-bottom: .7rem; }
.line { justify-content: flex-start; align-items: center; margin: .4rem 0; }
.code { font: 600 2rem/1.2 ui-monospace, monospace; letter-spacing: .15em; background: none; border: 1px dashed var(--line); border-radius: 8px; padding: .1rem .2rem .1rem .4rem; color: inherit; cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: inherit; font-size: .95rem; }
.empty { color: var(--muted); text-align: center; padding: 3rem 0; }
</style>
<main>
  <header><h1>Inbox</h1><span id="state" role="status">connecting</span></header>
  <p class="about">The texts of test mode, newest first; none of them was sent. Tap a code to copy it.
    <a href="/docs">API</a></p>
  <input id="to" type="search" inputmode="tel" autocomplete="off" placeholder="Only texts to this number" aria-label="Only texts to this number">
  <ol id="messages"></ol>
  <p class="empty" id="empty" hidden></p>
</main>
<script src="/dev/inbox/inbox.js"></script>
</html>
`;

export const INBOX_SCRIPT = `'use strict';
const list = document.getElementById('messages');
const empty = document.getElementById('empty');
const state = document.getElementById('state');
const to = document.getElementById('to');
const shown = new Set();

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function card(message) {
  const item = element('li');
  const row = element('div', 'row');
  const recipient = element('a', '', message.to);
  recipient.href = '?to=' + encodeURIComponent(message.to);
  const sentAt = new Date(message.sent_at);
  const time = element('time', '', sentAt.toLocaleString([], { dateStyle: 'short', timeStyle: 'medium' }));
  time.dateTime = message.sent_at;
  row.append(recipient, time);
  item.append(row);
  if (message.otp_code) item.append(codeLine(message.otp_code));
  const body = element('pre', '', message.body);
  // Each line by its own first letter: a text in Arabic ends with a line in Latin.
  body.dir = 'auto';
  item.append(body);
  return item;
}

function codeLine(code) {
  const line = element('div', 'line');
  const button = element('button', 'code', code);
  button.type = 'button';
  button.setAttribute('aria-label', 'Copy the code ' + code);
  const hint = element('span', 'row');
  hint.setAttribute('role', 'status');
  button.addEventListener('click', async () => {
    hint.textContent = (await copy(code)) ? 'copied' : 'copying failed';
    setTimeout(() => { hint.textContent = ''; }, 2000);
  });
  line.append(button, hint);
  return line;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page over plain HTTP, as a phone in the same network opens it, has no clipboard: then the old way.
    const area = element('textarea', '', text);
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

async function refresh() {
  const wanted = to.value;
  const query = wanted.trim() ? '?to=' + encodeURIComponent(wanted) : '';
  try {
    const answer = await fetch('/dev/inbox/messages' + query, { headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Error('HTTP ' + answer.status);
    const { items } = await answer.json();
    if (wanted === to.value) show(items);
    say('live');
  } catch {
    say('server away, trying again');
  }
}

// Only what is new is added: a reader keeps their place, and a screen reader says nothing twice.
function show(items) {
  for (const message of items.reverse()) {
    if (shown.has(message.id)) continue;
    shown.add(message.id);
    list.prepend(card(message));
  }
  empty.textContent = to.value ? 'No texts to this number.' : 'No texts yet: ask for a code.';
  empty.hidden = shown.size > 0;
  list.setAttribute('aria-live', 'polite');
}

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

async function poll() {
  await refresh();
  setTimeout(poll, 1000);
}

to.value = (new URLSearchParams(location.search).get('to') || '').replace(/^ /, '+');
to.addEventListener('input', () => {
  history.replaceState(null, '', to.value ? '?to=' + encodeURIComponent(to.value) : location.pathname);
  shown.clear();
  list.replaceChildren();
  refresh();
});
poll();
`;
