import { useTranslation } from 'react-i18next';

/** Why a refund failed or was declined: the words of a code, or the code itself. */
export function useRefundProblem() {
  const { t } = useTranslation();
  return (code?: string): string =>
    code ? t(`refund.why_${code.replaceAll('.', '_')}`, { defaultValue: code }) : '';
}

/** What a person may decline a refund for; the customer reads it. */
export const reasons = [
  'used_up',
  'against_terms',
  'suspected_fraud',
  'asked_elsewhere',
  'invoice_open',
  'other',
];

/** What a member of the staff may ask for one for. */
export const claims = ['complaint', 'defect', 'double_payment', 'goodwill', 'other'];
