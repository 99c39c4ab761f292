/** What stands over a column, with its class where it has one; `unseen` is for those who listen, where the eye needs no words. */
export type Column = string | readonly [words: string, className: string] | { readonly unseen: string; readonly className?: string };

export const TableHead = ({ columns }: { columns: readonly Column[] }) => (
  <thead>
    <tr>{columns.map(headOf)}</tr>
  </thead>
);

function headOf(column: Column) {
  const [words, className] =
    typeof column === 'string' ? [column, undefined] : 'unseen' in column ? [column.unseen, column.className] : column;
  return (
    <th scope="col" className={className} key={words}>
      {typeof column === 'object' && 'unseen' in column ? <span className="unseen">{words}</span> : words}
    </th>
  );
}
