/** Text that the API made of a policy's clauses. The content security policy lets no script in it run. */
export function PolicyHTML({ html, scroll, lang }: { html: string; scroll?: boolean; lang?: string }) {
  return (
    <div
      className={scroll ? 'policy scroll' : 'policy'}
      lang={lang}
      // A box that scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={scroll ? 0 : undefined}
      dangerouslySetInnerHTML={{ __html: html }}
    />
  );
}
