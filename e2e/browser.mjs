// Finds the browsers to test with; on Debian tries to install them; otherwise says in one line what to do.
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

const firefoxPlaces = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/snap/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
];

/** @returns {string | undefined} */
export const findBrowser = () => firstThatRuns([process.env['CHROMIUM'], ...places]);

const findFirefox = () => firstThatRuns([process.env['FIREFOX'], ...firefoxPlaces]);

/** @param {readonly (string | undefined)[]} paths */
function firstThatRuns(paths) {
  return paths.find((place) => {
    if (place === undefined || place === '') return false;
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Firefox's path, for the tests that want a second browser.
 * @throws {Error} whose message is one line for a person
 */
export function ensureFirefox() {
  const found = findFirefox() ?? (installOnDebian('firefox-esr') ? findFirefox() : undefined);
  if (found !== undefined) return found;
  throw new Error('This test needs Firefox: install it (Debian: sudo apt-get install -y firefox-esr) or set FIREFOX to its path.');
}

/** The browser's path. Ends the process with one line where there is none to be had. */
export function ensureBrowser() {
  const found = findBrowser() ?? (installOnDebian('chromium') ? findBrowser() : undefined);
  if (found !== undefined) return found;
  console.error('Lull needs Chromium for this: install it (Debian: sudo apt-get install -y chromium) or set CHROMIUM to its path.');
  process.exit(1);
}

/** @param {string} name of the package */
function installOnDebian(name) {
  const hasApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!hasApt || process.getuid?.() !== 0) return false;
  console.log(`${name} is missing: installing it with apt-get ...`);
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    execFileSync('apt-get', ['install', '-y', '-qq', name], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return true;
  } catch {
    return false;
  }
}
