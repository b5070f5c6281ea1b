import commonEn from './en/common.json';
import accountEn from './en/account.json';
import shopEn from './en/shop.json';
import vpnEn from './en/vpn.json';
import adminEn from './en/admin.json';
import capacityEn from './en/capacity.json';
import incidentEn from './en/incident.json';
import linkEn from './en/link.json';
import rightsEn from './en/rights.json';
import erasureEn from './en/erasure.json';
import trustEn from './en/trust.json';
import commonZh from './zh-CN/common.json';
import accountZh from './zh-CN/account.json';
import shopZh from './zh-CN/shop.json';
import vpnZh from './zh-CN/vpn.json';
import adminZh from './zh-CN/admin.json';
import capacityZh from './zh-CN/capacity.json';
import incidentZh from './zh-CN/incident.json';
import linkZh from './zh-CN/link.json';
import rightsZh from './zh-CN/rights.json';
import erasureZh from './zh-CN/erasure.json';
import trustZh from './zh-CN/trust.json';

export const en = {
  ...commonEn,
  ...accountEn,
  ...shopEn,
  ...vpnEn,
  ...adminEn,
  ...capacityEn,
  ...linkEn,
  ...rightsEn,
  ...incidentEn,
  ...erasureEn,
  ...trustEn,
};
export const zh = {
  ...commonZh,
  ...accountZh,
  ...shopZh,
  ...vpnZh,
  ...adminZh,
  ...capacityZh,
  ...linkZh,
  ...rightsZh,
  ...incidentZh,
  ...erasureZh,
  ...trustZh,
};
