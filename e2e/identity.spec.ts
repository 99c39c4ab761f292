// Who one is and which network one is in: the submitter goes away and comes back elsewhere; two networks on one site never meet.
import type { Page } from 'playwright';
import { busyCode, committed, expect, mayClose, submitRange, test, type Peer } from './harness/cluster.ts';
import { followInvite } from './harness/invite.ts';
import { donate, seesMembers, type Profile } from './harness/profile.ts';
import { contentsOf, heldPerSegment, manifestIn, sliceHashesOf } from './harness/slices.ts';

/** The secret as a person copies it from the page. */
async function phraseOn(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Show the phrase' }).click();
  const words = page.getByRole('list', { name: 'The phrase' }).getByRole('listitem');
  await expect(words).toHaveCount(24);
  return (await words.allInnerTexts()).join(' ');
}

/** Another browser becomes whoever the phrase is of, the way a person does it. */
async function becomeOn(page: Page, phrase: string, name: string): Promise<void> {
  await page.getByLabel('Phrase', { exact: true }).fill(phrase);
  await page.getByRole('button', { name: 'Bring in' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `Become ${name}` })
    .click();
  await expect(page.getByRole('heading', { level: 1, name: `You are ${name}` })).toBeVisible();
  await page.evaluate(() => globalThis.lull.ready);
}

/** Copies of each segment of `object` in the stores of `peers`, the fewest. */
async function fewestCopies(object: string, peers: readonly Peer[]): Promise<number> {
  const contents = await Promise.all(peers.map(({ page }) => contentsOf(page)));
  const manifest = contents.map((one) => manifestIn(one, object)).find((found) => found !== undefined);
  return manifest === undefined ? 0 : Math.min(...heldPerSegment(sliceHashesOf(manifest), contents));
}

test(
  'the submitter and who had the data leave; from another browser that becomes the submitter all results are collected in order',
  { tag: '@soak' },
  async ({ cluster }) => {
    test.setTimeout(120_000);
    const lines = Array.from({ length: 450 }, (_, i) => `${i} ${'abcdefgh'.repeat(700 + (i % 7))}`);
    const code = `export default (line) => {
    const end = performance.now() + 40;
    while (performance.now() < end);
    return [Number(line.split(' ')[0]), line.length];
  }`;
    const [a, b, c, d] = (await Promise.all(['/settings', '/', '/', '/'].map((path) => cluster.join(path)))) as [Peer, Peer, Peer, Peer];
    await Promise.all([a, b, c, d].map(({ page }) => seesMembers(page, 4)));
    const name = await a.page.evaluate(() => globalThis.lull.self.name);
    const phrase = await phraseOn(a.page);

    // Nobody donates yet, so nobody but the one who puts it keeps it.
    const data = await b.page.evaluate((text) => globalThis.lull.put(text, { name: 'lines.txt' }), lines.join('\n'));
    expect(await fewestCopies(data.object, [b])).toBe(1);
    expect(await fewestCopies(data.object, [a, c, d])).toBe(0);

    await Promise.all([c, d].map(({ page }) => donate(page)));
    const job = await a.page.evaluate(
      async (spec) => (await globalThis.lull.submit({ name: 'Left behind', code: spec.code, inputs: { lines: spec.data } })).id,
      { code, data },
    );
    await mayClose(a.page, job);
    await a.profile.kill();
    const at = performance.now();
    await expect.poll(() => fewestCopies(data.object, [c, d]), { timeout: 60_000 }).toBe(2);
    await b.profile.kill();
    console.log(`the data was spread ${((performance.now() - at) / 1000).toFixed(1)} s after the submitter had gone`);
    const decided = await c.page.evaluate(async (id) => (await globalThis.lull.find(id)).progress.committed, job);
    expect(decided).toBeLessThan(lines.length);

    const elsewhere = await cluster.join('/settings');
    await becomeOn(elsewhere.page, phrase, name);
    await elsewhere.page.getByRole('link', { name: 'Jobs' }).click();
    await elsewhere.page.getByRole('region', { name: 'Your jobs' }).getByRole('link', { name: 'Left behind' }).click();
    await expect(elsewhere.page.getByRole('heading', { level: 1, name: 'Left behind' })).toBeVisible();
    // Streamed while it runs, in order.
    const collected = await elsewhere.page.evaluate(async (id) => {
      const found = await globalThis.lull.find(id);
      const before = found.progress.committed;
      const results = [];
      for await (const result of found) results.push(result);
      return { before, state: await found.done, results, mine: globalThis.lull.jobs().map((each) => each.id) };
    }, job);
    console.log(`${decided} of ${lines.length} items were decided when both were gone, ${collected.before} when their submitter was back`);
    expect(collected.state).toBe('done');
    expect(collected.mine).toEqual([job]);
    expect(collected.results.map((result) => ('value' in result ? result.value : 'failed'))).toEqual(
      lines.map((line, i) => [i, line.length]),
    );
    // Which of the two depends on how many were here when each was kept, and on whether repair has been by.
    await expect(elsewhere.page.getByRole('region', { name: 'How the results are kept' })).toContainText(
      /all can be read|all are well kept/,
    );

    // Taken once, taken for good: also when all the others leave.
    await Promise.all([c, d].map(({ profile }) => profile.kill()));
    await elsewhere.page.reload();
    const again = await elsewhere.page.evaluate(async (id) => {
      await globalThis.lull.ready;
      return (await globalThis.lull.find(id)).results();
    }, job);
    expect(again).toEqual(collected.results);
  },
);

/** The link as a person copies it. */
async function inviteLinkOn(page: Page, profile: Profile): Promise<string> {
  await profile.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy invite link' }).click();
  await expect(page.getByText('Copied')).toBeVisible();
  return page.evaluate(() => navigator.clipboard.readText());
}
const peersOn = (page: Page) => page.evaluate(() => globalThis.lull.peers().map(({ peer }) => peer as string));
const selfOn = (page: Page) => page.evaluate(() => globalThis.lull.self.peer as string);

test(
  'a private network is joined by its link and meets nobody else; one goes back to the public one as one left it',
  { tag: '@soak' },
  async ({ cluster }) => {
    test.setTimeout(90_000);
    const [founder, outside, another] = (await Promise.all(['/settings', '/', '/'].map((path) => cluster.join(path)))) as [
      Peer,
      Peer,
      Peer,
    ];
    await donate(founder.page);
    await Promise.all([founder, outside, another].map(({ page }) => seesMembers(page, 3)));
    const second = await founder.profile.tab(`${cluster.server.url}/jobs`);

    await founder.page.getByLabel('Make a private network').fill('Class 10b');
    await founder.page.getByRole('button', { name: 'Make it' }).click();
    const question = founder.page.getByRole('dialog');
    await expect(question).toContainText('It donates to the public network now, and that stops.');
    await question.getByRole('button', { name: 'Make and go there' }).click();
    await expect(founder.page.getByRole('heading', { level: 1 })).toContainText('in Class 10b');
    await founder.page.evaluate(() => globalThis.lull.ready);
    // The profile's other tab has followed.
    await expect(second.getByText('private: Class 10b')).toBeVisible();
    await second.close();
    // Whether it donates is asked anew.
    expect(await founder.page.evaluate(() => globalThis.lull.metrics().resources.consent)).toBeNull();
    const link = await inviteLinkOn(founder.page, founder.profile);

    // Opened by a browser that was never here: nothing happens without an answer, and Escape is one.
    const profile = await cluster.profile();
    const asked = await profile.context.newPage();
    await asked.goto(link);
    await expect(asked.getByRole('dialog', { name: 'You are invited to a private network' })).toBeVisible();
    expect(asked.url()).toBe(`${cluster.server.url}/`);
    await expect(asked.getByLabel('What you call it')).toHaveValue('Class 10b');
    await asked.keyboard.press('Escape');
    await asked.evaluate(() => globalThis.lull.ready);
    await expect(asked.getByText('private:')).toBeHidden();
    await asked.close();
    const page = await followInvite(profile, link);
    await seesMembers(founder.page, 2);
    await seesMembers(page, 2);
    await donate(page);

    const job = await submitRange(founder.page, 'Ours', busyCode(5), 100);
    await committed(page, job, 100);
    const inside = [await selfOn(founder.page), await selfOn(page)].toSorted();
    const publicOnes = [await selfOn(outside.page), await selfOn(another.page)].toSorted();
    for (const each of [founder.page, page]) expect((await peersOn(each)).toSorted()).toEqual(inside);
    for (const each of [outside.page, another.page]) {
      await expect.poll(async () => (await peersOn(each)).toSorted()).toEqual(publicOnes);
      expect(await each.evaluate((id) => globalThis.lull.job(id) ?? null, job)).toBeNull();
    }
    await outside.page.goto(`${cluster.server.url}/jobs/${job}`);
    await expect(outside.page.getByRole('heading', { level: 1, name: 'This job is not to be found' })).toBeVisible();

    // Back: donating as before, and nothing of the class is here.
    await founder.page.getByRole('button', { name: 'Leave for the public network' }).click();
    await founder.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
    await expect(founder.page.getByRole('heading', { level: 1 })).toContainText('in the public network');
    await founder.page.evaluate(() => globalThis.lull.ready);
    await seesMembers(founder.page, 3);
    expect(await founder.page.evaluate(() => globalThis.lull.metrics().resources.consent)).toBe(true);
    expect(await founder.page.evaluate(() => globalThis.lull.jobs().length)).toBe(0);
    expect(await peersOn(page)).not.toContain(await selfOn(founder.page));
  },
);

test('an identity is saved as a file and brought in from it; what is no such file, or no phrase, is refused in words', async ({
  cluster,
}) => {
  const [from, to] = (await Promise.all(['/settings', '/settings'].map((path) => cluster.join(path, { browser: 'shared' })))) as [
    Peer,
    Peer,
  ];
  const [name, own] = await Promise.all([from, to].map(({ page }) => page.evaluate(() => globalThis.lull.self.name)));
  const download = from.page.waitForEvent('download');
  await from.page.getByRole('button', { name: 'Save as a file' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`lull-${name}.json`);

  const { page } = to;
  await page.getByLabel('Phrase', { exact: true }).fill('zebra abandonn');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('Word 2, “abandonn”, is not in the list. Is it “abandon”?');
  const choose = page.getByLabel('File of an identity');
  await choose.setInputFiles({ name: 'picture.png', mimeType: 'image/png', buffer: Buffer.from('PNG') });
  await expect(page.getByRole('alert')).toHaveText('This is no file that Lull saved an identity in.');
  await choose.setInputFiles(await file.path());
  const question = page.getByRole('dialog', { name: `Become ${name}?` });
  await expect(question).toContainText(`The key of ${own} stays in this browser`);
  await question.getByRole('button', { name: `Become ${name}` }).click();
  await expect(page.getByRole('heading', { level: 1, name: `You are ${name}` })).toBeVisible();

  // Back to who it was before, which had stayed; then the other is removed for good.
  await page.getByRole('button', { name: `Become ${own}` }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `Become ${own}` })
    .click();
  await expect(page.getByRole('heading', { level: 1, name: `You are ${own}` })).toBeVisible();
  const remove = page.getByRole('button', { name: `Remove ${name}` });
  await remove.click();
  await page.keyboard.press('Escape');
  await expect(remove).toBeFocused();
  await remove.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('Also in this browser')).toBeHidden();
});
