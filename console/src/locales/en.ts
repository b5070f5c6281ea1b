import common from './en/common.json';
import account from './en/account.json';
import shop from './en/shop.json';
import vpn from './en/vpn.json';
import admin from './en/admin.json';
import capacity from './en/capacity.json';
import incident from './en/incident.json';
import intake from './en/intake.json';
import link from './en/link.json';
import rights from './en/rights.json';
import data from './en/data.json';
import erasure from './en/erasure.json';
import trust from './en/trust.json';
import downloads from './en/downloads.json';
import staff from './en/staff.json';
import operator from './en/operator.json';
import user from './en/user.json';
import invoice from './en/invoice.json';
import refund from './en/refund.json';
import wallet from './en/wallet.json';
import ticket from './en/ticket.json';
import reconcile from './en/reconcile.json';
import life from './en/life.json';

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
