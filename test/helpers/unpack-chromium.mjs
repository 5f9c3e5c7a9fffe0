import chromium from '@sparticuz/chromium';

// A process of its own, see `browser.mjs`.
process.stdout.write(await chromium.executablePath());
