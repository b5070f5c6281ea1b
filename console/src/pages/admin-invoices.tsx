import { useState } from 'react';
import { Input } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { InvoiceFilter, StaffInvoice } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ResourceTable } from '../components/resource-table';
import { KindSelect, useInvoiceColumns } from './invoices';

/** All invoices and credit notes, newest first; the server searches. */
export function AdminInvoices() {
  const { t } = useTranslation();
  const columns = useInvoiceColumns();
  const [filter, setFilter] = useState<InvoiceFilter>({});
  const set = (more: InvoiceFilter) => setFilter((f) => ({ ...f, ...more }));
  const some = Object.values(filter).some(Boolean);
  return (
    <Page title={t('nav.admin_invoices')} lead={t('invoice.desk_lead')}>
      <div className="row">
        <Input.Search
          allowClear
          aria-label={t('invoice.search_number')}
          placeholder={t('invoice.search_number')}
          style={{ width: 300, maxWidth: '100%' }}
          maxLength={40}
          onSearch={(v) => set({ number: v.trim() || undefined })}
        />
        <Input.Search
          allowClear
          aria-label={t('invoice.search_account')}
          placeholder={t('invoice.search_account')}
          style={{ width: 300, maxWidth: '100%' }}
          maxLength={40}
          onSearch={(v) => set({ account: v.trim() || undefined })}
        />
        <label className="row">
          {t('invoice.from')}
          <Input
            type="date"
            style={{ width: 160 }}
            max={filter.to}
            onChange={(e) => set({ from: e.target.value || undefined })}
          />
        </label>
        <label className="row">
          {t('invoice.to')}
          <Input
            type="date"
            style={{ width: 160 }}
            min={filter.from}
            onChange={(e) => set({ to: e.target.value || undefined })}
          />
        </label>
      </div>
      <ResourceTable<StaffInvoice>
        label={t('nav.admin_invoices')}
        queryKey={['admin', 'invoices', filter]}
        load={(query) => api.admin.invoices({ ...query, ...filter })}
        refresh={() => 30_000}
        rowKey={(d) => d.id}
        nameTitle={t('invoice.number')}
        nameText={(d) => d.number}
        name={(d) => (
          <Link to={`/admin/invoices/${d.id}`} className="mono">
            {d.number}
          </Link>
        )}
        filters={<KindSelect kind={filter.kind} choose={(kind) => set({ kind })} />}
        columns={[
          ...columns,
          {
            key: 'account',
            title: t('admin.account'),
            cell: (d) => (
              <CopyText text={(d as StaffInvoice).account} shown={short((d as StaffInvoice).account)} />
            ),
            text: (d) => (d as StaffInvoice).account,
          },
        ]}
        csv="invoices"
        empty={
          some
            ? { title: t('invoice.none_found'), text: t('invoice.none_found_text') }
            : { title: t('invoice.none') }
        }
      />
    </Page>
  );
}
