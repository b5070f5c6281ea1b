import common from './zh-CN/common.json';
import account from './zh-CN/account.json';
import shop from './zh-CN/shop.json';
import vpn from './zh-CN/vpn.json';
import admin from './zh-CN/admin.json';
import capacity from './zh-CN/capacity.json';
import incident from './zh-CN/incident.json';
import intake from './zh-CN/intake.json';
import link from './zh-CN/link.json';
import rights from './zh-CN/rights.json';
import data from './zh-CN/data.json';
import erasure from './zh-CN/erasure.json';
import trust from './zh-CN/trust.json';
import downloads from './zh-CN/downloads.json';
import staff from './zh-CN/staff.json';
import operator from './zh-CN/operator.json';
import user from './zh-CN/user.json';
import invoice from './zh-CN/invoice.json';
import refund from './zh-CN/refund.json';
import wallet from './zh-CN/wallet.json';
import ticket from './zh-CN/ticket.json';
import reconcile from './zh-CN/reconcile.json';
import life from './zh-CN/life.json';

export const words = {
  ...common,
  ...account,
  ...shop,
  ...vpn,
  ...admin,
  ...capacity,
  ...incident,
  ...intake,
  ...link,
  ...rights,
  ...data,
  ...erasure,
  ...trust,
  ...downloads,
  ...staff,
  ...operator,
  ...user,
  ...invoice,
  ...refund,
  ...wallet,
  ...reconcile,
  ...life,
  ...ticket,
};
