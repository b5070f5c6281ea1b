import { useEffect, type ReactNode } from 'react';
import { Breadcrumb } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';

interface Props {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
  trail?: { title: string; to: string }[];
  children: ReactNode;
}

/** A page: where it is, what it is for, its one primary action, and its content. */
export function Page({ title, lead, action, trail, children }: Props) {
  const { t } = useTranslation();
  useTitle(title);
  const crumbs = trail?.map((c) => ({ title: <Link to={c.to}>{c.title}</Link> })) ?? [];
  return (
    <>
      <header className="pagehead">
        {trail ? <Breadcrumb aria-label={t('common.where')} items={[...crumbs, { title }]} /> : null}
        <div className="spread">
          <h1>{title}</h1>
          <div className="row">{action}</div>
        </div>
        {lead ? <p className="lead">{lead}</p> : null}
      </header>
      <div className="stack">{children}</div>
    </>
  );
}

export function useTitle(title: string): void {
  const { t } = useTranslation();
  const product = t('common.product');
  useEffect(() => {
    document.title = title ? `${title} · ${product}` : product;
  }, [title, product]);
}
