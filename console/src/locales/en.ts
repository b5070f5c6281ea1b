import common from './en/common.json';
import account from './en/account.json';
import shop from './en/shop.json';
import vpn from './en/vpn.json';
import admin from './en/admin.json';
import capacity from './en/capacity.json';
import incident from './en/incident.json';
import link from './en/link.json';
import rights from './en/rights.json';
import erasure from './en/erasure.json';
import trust from './en/trust.json';
import user from './en/user.json';

export const words = {
  ...common,
  ...account,
  ...shop,
  ...vpn,
  ...admin,
  ...capacity,
  ...incident,
  ...link,
  ...rights,
  ...erasure,
  ...trust,
  ...user,
};
