/** The page at `/dev/inbox`: a phone's list of messages, live. */
export const INBOX_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey inbox</title>
<style>
:root { color-scheme: light dark; --line: #d9dde5; --muted: #667085; --back: #f6f7f9; --card: #fff; --text: #1d2330; }
@media (prefers-color-scheme: dark) {
  :root { --line: #2d3342; --muted: #98a2b3; --back: #11141b; --card: #1a1f2b; --text: #e4e7ee; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.45 system-ui, sans-serif; background: var(--back); color: var(--text); }
main { max-width: 40rem; margin: 0 auto; padding: 1rem; }
header { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
h1 { font-size: 1.3rem; margin: .3rem 0; }
#state { color: var(--muted); font-size: .85rem; }
p.about { color: var(--muted); margin: .2rem 0 1rem; font-size: .9rem; }
ol { list-style: none; margin: 0; padding: 0; }
li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .8rem 1rem; margin-bottom: .7rem; }
.row { display: flex; justify-content: space-between; gap: 1rem; color: var(--muted); font-size: .85rem; }
.code { font: 600 2rem/1.2 ui-monospace, monospace; letter-spacing: .15em; background: none; border: 0; padding: .1rem 0; color: inherit; cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0 0; font: inherit; font-size: .95rem; }
.empty { color: var(--muted); text-align: center; padding: 3rem 0; }
</style>
<main>
  <header><h1>Inbox</h1><span id="state" role="status">connecting</span></header>
  <p class="about">Texts of test mode, newest first. Nothing here was sent. Tap a code to copy it.
    <a href="/docs">API</a></p>
  <ol id="messages" aria-live="polite"></ol>
  <p class="empty" id="empty">No texts yet: ask for a code.</p>
</main>
<script src="/dev/inbox/inbox.js"></script>
</html>
`;

export const INBOX_SCRIPT = `'use strict';
const list = document.getElementById('messages');
const empty = document.getElementById('empty');
const state = document.getElementById('state');
let shown = '';

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function card(message) {
  const item = element('li');
  const row = element('div', 'row');
  row.append(element('span', '', message.to), element('time', '', new Date(message.sent_at).toLocaleTimeString()));
  item.append(row);
  if (message.otp_code) {
    const code = element('button', 'code', message.otp_code);
    code.type = 'button';
    code.title = 'Copy';
    code.addEventListener('click', async () => {
      await navigator.clipboard.writeText(message.otp_code);
      state.textContent = 'copied ' + message.otp_code;
    });
    item.append(code);
  }
  item.append(element('pre', '', message.body));
  return item;
}

async function refresh() {
  try {
    const answer = await fetch('/dev/inbox/messages' + location.search, { headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Error('HTTP ' + answer.status);
    const { items } = await answer.json();
    const newest = items.length + ':' + (items[0] ? items[0].id : '');
    if (newest !== shown) {
      shown = newest;
      list.replaceChildren(...items.map(card));
      empty.hidden = items.length > 0;
    }
    if (!state.textContent.startsWith('copied')) state.textContent = 'live';
  } catch {
    state.textContent = 'server away, trying again';
  }
  setTimeout(refresh, 1000);
}
refresh();
`;
