// Finds a Chromium to test with; on Debian tries to install one; otherwise says in one line what to do.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** @returns {string | undefined} */
export function findBrowser() {
  return [process.env['CHROMIUM'], ...places].find((place) => {
    if (place === undefined || place === '') return false;
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The browser's path. Ends the process with one line where there is none to be had. */
export function ensureBrowser() {
  const found = findBrowser() ?? (installOnDebian() ? findBrowser() : undefined);
  if (found !== undefined) return found;
  console.error('Lull needs Chromium for this: install it (Debian: sudo apt-get install -y chromium) or set CHROMIUM to its path.');
  process.exit(1);
}

function installOnDebian() {
  const hasApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!hasApt || process.getuid?.() !== 0) return false;
  console.log('Chromium is missing: installing it with apt-get ...');
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    execFileSync('apt-get', ['install', '-y', '-qq', 'chromium'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return true;
  } catch {
    return false;
  }
}
