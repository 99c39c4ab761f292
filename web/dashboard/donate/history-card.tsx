// What this machine did for others: a receipt a job, and all of them as a file.
import { useEffect, useState } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import { save } from '../job/download.ts';
import { Empty } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { sentenceOf, useDeps, useSnapshot } from '../shell/deps.ts';
import { Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { bytes, count, duration, plural } from '../view/format.ts';
import type { Receipt } from './donor-source.ts';
import { JobDialog } from './job-dialog.tsx';
import { receiptsFile, receiptsSummary, verdictWords } from './receipts.ts';

const lookEveryMs = 3_000;
const rowsShown = 6;

export function HistoryCard() {
  const { donor } = useDeps();
  const self = useSnapshot((snapshot) => snapshot.self?.identity);
  const [receipts, setReceipts] = useState<readonly Receipt[]>([]);
  const [problem, setProblem] = useState('');
  const [all, setAll] = useState(false);
  const jobs = useSnapshot((snapshot) => snapshot.jobs);
  // Whoever reaches for what runs has stopped it by that: so it can be looked at here, too, where it has just run.
  const stopped = useSnapshot((snapshot) => snapshot.running.value.length === 0);
  const [looked, setLooked] = useState<string | null>(null);
  const lookedAt = jobs?.find((each) => each.id === looked);
  const started = self !== undefined;
  useEffect(() => {
    if (!started) return undefined;
    let gone = false;
    const look = () =>
      donor.receipts().then(
        (found) => {
          if (gone) return;
          setReceipts(found);
          setProblem('');
        },
        (error: unknown) => gone || setProblem(sentenceOf(error)),
      );
    void look();
    const timer = setInterval(() => void look(), lookEveryMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [donor, started, stopped]);
  const download = () => {
    const file = receiptsFile(receipts, { identity: self ?? '', writtenAt: Date.now() });
    save(new Blob([file], { type: 'application/json' }), 'lull-receipts.json');
  };
  const shown = all ? receipts : receipts.slice(0, rowsShown);
  return (
    <section className="card stack" aria-label="What this machine did">
      <div className="between">
        <h2>What this machine did</h2>
        {receipts.length === 0 ? null : (
          <span className="sm">
            <span className="mute">{receiptsSummary(receipts)} </span>
            <button type="button" className="link" onClick={download}>
              Download receipts
            </button>
          </span>
        )}
      </div>
      {problem === '' ? null : <Notice tone="dusk">{problem}</Notice>}
      {receipts.length === 0 ? (
        <Empty title="Nothing yet.">
          <p className="mute sm">A receipt for each job stays here: what ran, for whom, how long, and what came of it.</p>
        </Empty>
      ) : (
        <div className="scroll">
          <table className="compact">
            <TableHead
              columns={[
                'Job',
                ['For', 'wide'],
                ['Parts', 'num wide'],
                ['CPU time', 'num'],
                ['Results', 'num wide'],
                'They were',
                { unseen: 'More' },
              ]}
            />
            <tbody>
              {shown.map((receipt) => (
                <tr key={receipt.job}>
                  <td className="job-cell" title={`${receipt.name}, code ${receipt.codeHash}`}>
                    <Link to={`/jobs/${receipt.job}`}>{receipt.name}</Link>
                  </td>
                  <td className="mute nowrap wide">{receipt.submitter === self ? 'you' : nameOf(receipt.submitter)}</td>
                  <td className="num wide">{count(receipt.parts)}</td>
                  <td className="num">{duration(receipt.cpuMs)}</td>
                  <td className="num wide">{bytes(receipt.bytes)}</td>
                  <td className="sm">{verdictWords(receipt)}</td>
                  <td className="num">
                    {jobs?.some(({ id }) => id === receipt.job) === true ? (
                      <button
                        type="button"
                        className="link sm"
                        aria-label={`Look at ${receipt.name}`}
                        onClick={() => setLooked(receipt.job)}
                      >
                        Look
                      </button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {receipts.length > rowsShown ? (
            <button type="button" className="link sm" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? 'Show fewer' : `Show ${plural(receipts.length - rowsShown, 'more job', 'more jobs')}`}
            </button>
          ) : null}
        </div>
      )}
      {lookedAt === undefined ? null : <JobDialog key={lookedAt.id} job={lookedAt} onClose={() => setLooked(null)} />}
    </section>
  );
}
