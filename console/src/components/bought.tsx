import { useTranslation } from 'react-i18next';
import type { Order } from '../api/types';

/** What an order is for, in one line: product and its options. */
export function useBought(): (order: Order) => string {
  const { t } = useTranslation();
  return (order) => {
    const line = order.lines[0];
    if (!line) return t(`order.kind_${order.kind}`, { defaultValue: order.kind });
    const options = Object.entries(line.options).map(([id, value]) =>
      t(`option.${id}_value`, { value, defaultValue: `${id} ${value}` }),
    );
    return [t(`product.${line.product}`, { defaultValue: line.product }), ...options].join(' · ');
  };
}
