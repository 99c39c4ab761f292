import { createRoot } from 'react-dom/client';

/** Why Lull cannot work in this browser or at this address, and what the person can do about it. */
export interface Problem {
  readonly what: string;
  readonly toDo: string;
}

/** Takes the whole page: nothing behind it would work. */
export function renderProblem(root: HTMLElement, problem: Problem): void {
  document.title = `${problem.what} · Lull`;
  createRoot(root).render(<ProblemPage {...problem} />);
}

export function ProblemPage({ what, toDo }: Problem) {
  return (
    <main className="problem">
      <img src="/icons/lull.svg" alt="" width={44} height={44} />
      <h1>{what}</h1>
      <p role="alert">{toDo}</p>
      <button className="btn ghost" type="button" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
