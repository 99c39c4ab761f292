import { sdkExamples } from 'virtual:sdk-examples';
import { CopyButton } from '../data/copy-button.tsx';

/** As the text names the site. */
const named = 'https://lull.example';

export function ExampleList() {
  return (
    <ul className="examples">
      {sdkExamples.map(({ title, code }, place) => {
        const text = code.replaceAll(named, location.origin).trimEnd();
        const id = `example-${place}`;
        return (
          <li key={id} className="card stack">
            <div className="between">
              <h2 id={id}>{title}</h2>
              <CopyButton label="Copy" text={text} describedBy={id} />
            </div>
            <pre className="code-read" tabIndex={0} aria-labelledby={id}>
              {text}
            </pre>
          </li>
        );
      })}
    </ul>
  );
}
