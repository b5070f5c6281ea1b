package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// published are the classes of the table that the policies print.
func published() (ids []string) {
	for _, c := range retention.Classes() {
		if c.Data != nil {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Every column of a published class is in a table that somebody ends the rows of and
// that the evidence counts.
func TestEveryPublishedClassIsEndedAndCountedInEveryTable(t *testing.T) {
	t.Parallel()
	in := install(t)
	counted := map[string]bool{}
	for _, k := range in.modules.keeps(in.stores.main) {
		for _, table := range k.tables {
			counted[k.class+" "+table] = true
		}
	}
	for _, table := range Holdings() {
		for _, c := range table.Columns {
			if where := c.Retention + " " + table.Name; slices.Contains(published(), c.Retention) && !counted[where] && elsewhere[where] == "" {
				t.Errorf("%s.%s is kept as %s, and nobody ends it or counts it", table.Name, c.Name, c.Retention)
			}
		}
	}
}

// elsewhere are tables whose rows end with something that is counted, or sooner
// than anything is.
var elsewhere = map[string]string{
	"account_core idempotency_answer": "ends within a day, with the answer that a request may be repeated for",
	"netlog account_attempt":          "ends within a day",
	"vpn_session fleet_usage":         "ends with the month that it counts",
	"vpn_session fleet_live":          "ends with the session",
	"optional contact_code":           "ends with its ten minutes, within the hour",
	"optional contact_asked":          "a keyed digest of a number, which ends within a day",
	"disclosure residency_export":     "ends with the calendar year that it counts people of",
}

// A row of each published class that was kept too long is found by the evidence, and
// one night ends it.
func TestEachPublishedClassIsEndedByTheNight(t *testing.T) {
	t.Parallel()
	for _, class := range published() {
		plant := planters[class]
		if plant == nil {
			t.Errorf("%s is published, and no test sees it end", class)
			continue
		}
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) { endedByTheNight(t, onEngine(t, d), class, plant) }, Migrations()...)
		})
	}
	for _, class := range slices.Collect(maps.Keys(planters)) {
		if !slices.Contains(published(), class) {
			t.Errorf("%s is not a published class", class)
		}
	}
}

// onEngine is an installation whose main database is another one.
func onEngine(t *testing.T, d *db.DB) *rig {
	t.Helper()
	in := *install(t)
	all := *in.stores
	all.main = d
	m, err := assemble(in.cfg, &all, hashing{hasher: password.NewHasherAt(4, 64), account: 64}, slog.New(slog.DiscardHandler))
	must(t, err)
	in.stores, in.modules = &all, m
	return &in
}

func endedByTheNight(t *testing.T, in *rig, class string, plant func(t *testing.T, in *rig, long time.Time) func() int64) {
	ctx := context.Background()
	overdue := func() int64 {
		_, found, err := in.modules.overdueRecords(ctx, in.stores.main)
		must(t, err)
		return found
	}
	left := plant(t, in, civil.DayOf(time.Now()).AddMonths(-12*15).Start())
	if n := overdue(); n < 1 || left() < 1 {
		t.Fatalf("%d are found too late of %d planted", n, left())
	}
	if class == "account_core" { // the saga's own tests see it run
		return
	}
	must(t, in.modules.privacy.Retain(ctx))
	must(t, in.modules.privacy.Retain(ctx)) // the first says what it found too late
	if n := overdue(); n != 0 || left() != 0 {
		t.Errorf("after the night %d are found too late and %d are left", n, left())
	}
}

// planters write a thing of a class whose term began long ago, and say how to count
// what is left of it.
var planters = map[string]func(t *testing.T, in *rig, long time.Time) func() int64{
	"account_core": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"erasure_case"}, fmt.Sprintf(`INSERT INTO erasure_case (id, subject, account, client, cause, request, step, problem,
			settled_by, settlement, searched, report, certificate, asked_at, due_at, effective_at, complete_at, version)
			VALUES ('era_x', 'sub_x', '', '', 'asked', '', 'search', '', '', '', '', '', '', %d, %[1]d, 0, 0, 1)`, db.Micros(long)))
	},
	"optional": func(t *testing.T, in *rig, long time.Time) func() int64 {
		planted := []string{}
		for _, table := range []string{"contact_phone (subject, number", "contact_qq (subject, number", "contact_region (subject, place"} {
			planted = append(planted, fmt.Sprintf("INSERT INTO %s, act, at) VALUES ('sub_x', '', 'con_gone', %d)", table, db.Micros(long)))
		}
		return in.plant(t, contact.Tables(), planted...)
	},
	"realname_value":  plantName,
	"realname_result": plantName,
	"netlog": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"account_login"}, fmt.Sprintf(`INSERT INTO account_login (id, subject, session, method, outcome, detail, day, at)
			VALUES ('x', 'sub_x', '', '', '', '', '%s', %d)`, civil.DayOf(long), db.Micros(long)))
	},
	"access_log": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"account_access"}, fmt.Sprintf(`INSERT INTO account_access (id, subject, detail, day, at)
			VALUES ('x', 'sub_x', '', '%s', %d)`, civil.DayOf(long), db.Micros(long)))
	},
	"vpn_session": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"fleet_session"}, fmt.Sprintf(`INSERT INTO fleet_session (id, client, gateway, started_at, ended_at, reason, bytes_in, bytes_out)
			VALUES ('x', 'cli_x', 'gw', %d, %[1]d, '', 0, 0)`, db.Micros(long)))
	},
	"order": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"order_order", "order_line", "order_upgrade", "service_item", "service_change", "service_period", "service_earning"},
			anOrder("ord_x", "completed", long), aLine("ord_x", 12),
			"INSERT INTO order_upgrade (service, order_id) VALUES ('svc_x', 'ord_x')",
			aService("svc_x", "terminated", long),
			fmt.Sprintf(`INSERT INTO service_change (line, order_id, service, options, state, problem, created_at, ended_at)
				VALUES ('orl_y', 'ord_x', 'svc_x', '{}', 'done', '', %d, %[1]d)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO service_period (service, period_start, period_end, months, order_id, line)
				VALUES ('svc_x', %d, %d, 1, 'ord_x', 'orl_x'), ('svc_live', %[1]d, %[2]d, 1, 'ord_x', 'orl_z')`, db.Micros(long.AddDate(0, -1, 0)), db.Micros(long)),
			fmt.Sprintf(`INSERT INTO service_earning (service, line, period_start, period_end, order_id, currency, value_minor, earned_at)
				VALUES ('svc_x', 'orl_x', %d, %d, 'ord_x', 'CNY', 7, %[2]d), ('svc_live', 'orl_z', %[1]d, %[2]d, 'ord_x', 'CNY', 7, %[2]d)`,
				db.Micros(long.AddDate(0, -1, 0)), db.Micros(long)))
	},
	"accounting": func(t *testing.T, in *rig, long time.Time) func() int64 {
		old := ledger.New(ledger.Deps{DB: in.stores.main, Clock: clock.NewFake(long)})
		must(t, in.stores.main.InTx(context.Background(), func(tx *db.Tx) error {
			for _, e := range []ledger.Entry{
				{Key: "pay:1", Kind: "payment", OccurredAt: long, Postings: []ledger.Posting{ledger.Debit(ledger.Bank, money.New(7, money.CNY)), ledger.Credit(ledger.Wallet("acc_x"), money.New(7, money.CNY))}},
				{Key: "wpay:1", Kind: "payment", OccurredAt: long, Postings: []ledger.Posting{ledger.Debit(ledger.Wallet("acc_x"), money.New(7, money.CNY)), ledger.Credit(ledger.Sales, money.New(7, money.CNY))}},
			} {
				if _, err := old.PostTx(context.Background(), tx, e); err != nil {
					return err
				}
			}
			return nil
		}))
		count := in.plant(t, []string{"payment_attempt", "payment_event", "payment_receipt", "payment_transfer", "payment_refund", "payment_refund_step", "payment_grant", "payment_gift_use", "payment_bill", "payment_difference", "payment_difference_step", "payment_suspense", "invoice_document", "invoice_line", "ledger_journal", "ledger_posting"},
			fmt.Sprintf(`INSERT INTO payment_attempt (attempt_no, purpose, order_id, account_id, subject, gateway_account_id, method, amount_minor, currency, state, version,
				close_confirmed, provider_trade_no, refunded_minor, disputed, created_at, expire_at, paid_at, last_notify_at, last_query_at, last_query, next_query_at, nudged_at)
				VALUES ('S1', 'order', 'ord_x', 'acc_x', 'sub_x', 'g', 'alipay', 7, 'CNY', 'succeeded', 1, 0, 't', 0, 0, %d, 0, %[1]d, 0, 0, '', 0, 0)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_event (gateway_account_id, kind, dedupe_key, attempt_no, provider_trade_no, amount_minor, currency, status, state, source, digest,
				received_at, processed_at) VALUES ('g', 'pay', 'k', 'S1', 't', 7, 'CNY', '', 'applied', '', '', %d, 0), ('g', 'pay', 'k2', 'S2', 't', 7, 'CNY', '', 'orphan', '', '', %[1]d, 0)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_receipt (id, gateway_account_id, provider_trade_no, attempt_no, amount_minor, currency, disposition, journal_id, paid_at, received_at)
				VALUES ('rcp_x', 'g', 't', 'S1', 7, 'CNY', 'order', 'jnl_x', %d, %[1]d)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_transfer (id, attempt_no, bank_reference, amount_minor, currency, received_on, proof, reason, state, version, entered_by, entered_at,
				decided_by, decided_at, result) VALUES ('btr_x', 'S1', 'r', 7, 'CNY', %d, '', '', 'booked', 1, 'sub_s', %[1]d, 'sub_t', %[1]d, '')`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_grant (id, kind, account_id, amount_minor, currency, left_minor, expires_at, reason, state, version, asked_by, asked_at, decided_by,
				decided_at, journal_id) VALUES ('grt_x', 'gift', 'acc_x', 7, 'CNY', 0, %d, 'r', 'booked', 1, 'sub_s', %[1]d, 'sub_t', %[1]d, 'jnl_x')`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_refund (refund_no, order_id, attempt_no, receipt_id, account_id, subject, gateway_account_id, rule, target, amount_minor, currency,
				phase, version, problem, requested_by, seconded_by, journal_id, tries, last_query, requested_at, sent_at, last_query_at, next_query_at, held_at, settled_at,
				ended_at, billed_day) VALUES ('R1', 'ord_x', 'S1', 'rcp_x', 'acc_x', 'sub_x', 'g', 'full', 'original', 7, 'CNY', 'succeeded', 1, '', 'sub_x', '', 'jnl_x', 1, '',
				%d, %[1]d, 0, 0, %[1]d, %[1]d, %[1]d, 0)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_refund_step (refund_no, version, event, phase, actor_class, actor, reason, at)
				VALUES ('R1', 1, 'ok', 'succeeded', '', '', '', %d)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_bill (id, gateway_account_id, day, state, version, readings, tries, problem, digest, payments, refunds, currency, paid_minor,
				returned_minor, fee_minor, read_at, next_at) VALUES ('bil_x', 'g', %d, 'settled', 1, 2, 0, '', '', 1, 0, 'CNY', 7, 0, 0, %[1]d, 0)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_difference (id, gateway_account_id, day, kind, ref, attempt_no, provider_trade_no, refund_no, currency, here_minor, there_minor,
				here_state, state, version, reading, outcome, proposed_by, booked_minor, at, found_at, closed_at)
				VALUES ('dif_x', 'g', %d, 'amount', 't', 'S1', 't', '', 'CNY', 7, 8, '', 'closed', 2, 1, 'why', '', 0, %[1]d, %[1]d, %[1]d)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_difference_step (difference_id, version, event, state, actor_class, actor, reason, here_minor, there_minor, journal_id, at)
				VALUES ('dif_x', 2, 'explain', 'closed', 'staff', 'sub_s', 'why', 7, 8, '', %d)`, db.Micros(long)),
			fmt.Sprintf(`INSERT INTO payment_suspense (id, receipt_id, kind, order_id, account_id, reference, amount_minor, currency, reason, state, version, proposed_by,
				proposed_at, decided_by, decided_at, journal_id) VALUES ('sus_x', 'rcp_x', 'wallet', '', 'acc_x', '', 7, 'CNY', 'why', 'booked', 2, 'sub_s', %d, 'sub_t', %[1]d, 'jnl_y')`, db.Micros(long)),
			"INSERT INTO payment_gift_use (grant_id, ref, amount_minor) VALUES ('grt_x', 'ord_x', 7)",
			fmt.Sprintf(`INSERT INTO invoice_document (id, kind, series, year, number, account_id, subject, order_id, order_kind, refund_no, invoice_id, currency,
				total_minor, tax_minor, tax_rate, seller, book_key, paid_at, issued_at)
				VALUES ('inv_x', 'invoice', 'INV', 2000, 1, 'acc_x', 'sub_x', 'ord_x', 'new', '', '', 'CNY', 7, 0, 0, '{}', 'pay:rcp_x', %d, %[1]d)`, db.Micros(long)),
			`INSERT INTO invoice_line (document_id, number, line_id, kind, product, region, names, options, months, amount_minor)
				VALUES ('inv_x', 1, 'orl_x', 'recurring', 'vpn-gateway', 'hk-1', '{}', '{}', 1, 7)`)
		return func() int64 {
			p, err := in.modules.ledger.Prove(context.Background())
			if err != nil || len(p.Problems) > 0 {
				t.Errorf("the books: %v, %v", p.Problems, err)
			}
			return count() + in.count(t, "ledger_account WHERE code LIKE '%acc_x'")
		}
	},
	"disclosure": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"age_read"}, fmt.Sprintf(`INSERT INTO age_read (id, subject, reader, purpose, reason, asked_at, approver, approved_at)
			VALUES ('r', 'sub_x', 'sub_s', 'rights', '', %d, '', 0)`, db.Micros(long)))
	},
	"legal_order": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"legalorder_order", "legalorder_subject"}, fmt.Sprintf(`INSERT INTO legalorder_order (id, authority, jurisdiction, doc_no, law, scan, scan_sha256,
			authority_key, categories, from_at, until_at, expires_at, suppress_until, suppress_law, approval_authority, approval_doc_no, approval_sha256, state, entered_by,
			entered_at, ended_by, ended_at, package, package_sha256, version) VALUES ('lgo_x', '', '', '', '', '', '', '', '', 0, 0, %d, 0, '', '', '', '', 'ended', '', %[1]d, '', 0, '', '', 1)`,
			db.Micros(long)), "INSERT INTO legalorder_subject (order_id, handle) VALUES ('lgo_x', 'sub_x')")
	},
	"consent": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"consent_event WHERE subject = 'sub_x'"}, anAct(1, "grant", long), anAct(2, "withdraw", long.Add(time.Hour)))
	},
	"ticket": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"ticket_ticket", "ticket_message", "ticket_note", "ticket_file"},
			fmt.Sprintf(`INSERT INTO ticket_ticket (id, account, subject, department, priority, resource, title, state, assignee, follows, request, opened_at, changed_at,
				due_at, left_micros, reminded_at, closed_at, version) VALUES ('tkt_x', 'acc_x', 'sub_x', 'billing', 'low', '', '', 'closed', '', '', '', %d, %[1]d, 0, 0, 0, %[1]d, 1)`,
				db.Micros(long)),
			"INSERT INTO ticket_message (id, ticket, subject, staff, words, at) VALUES ('tkm_x', 'tkt_x', 'sub_x', '', '', 1)",
			"INSERT INTO ticket_note (id, ticket, subject, staff, words, at) VALUES ('tkn_x', 'tkt_x', 'sub_x', 'sub_s', '', 1)",
			`INSERT INTO ticket_file (id, ticket, subject, staff, name, media, size, released_by, quarantined, content, at)
				VALUES ('tkf_x', 'tkt_x', 'sub_x', '', '', '', 0, '', 0, '', 1)`)
	},
	"case": func(t *testing.T, in *rig, long time.Time) func() int64 {
		return in.plant(t, []string{"privacy_request"}, fmt.Sprintf(`INSERT INTO privacy_request (id, subject, kind, channel, state, words, reason, received_at, closed_at, version)
			VALUES ('req_x', 'sub_x', 'copy', 'web', 'closed', '', '', %d, %[1]d, 1)`, db.Micros(long)))
	},
}

func plantName(t *testing.T, in *rig, long time.Time) func() int64 {
	return in.plant(t, []string{"realname_verification", "realname_grant", "realname_attempt"},
		fmt.Sprintf(`INSERT INTO realname_verification (id, account, subject, state, reason, band, name, number, number_index, submitted_at, called_at, decided_at, decided_by, erase_at)
			VALUES ('rnv_x', 'acc_x', 'sub_x', 'verified', '', '', 'sealed', 'sealed', 'x', %d, %[1]d, %[1]d, '', 0)`, db.Micros(long)),
		fmt.Sprintf("INSERT INTO realname_grant (verification, subject, kind, officer, case_id, replaces, at) VALUES ('rnv_x', 'sub_x', 'first', '', '', '', %d)", db.Micros(long)),
		fmt.Sprintf("INSERT INTO realname_attempt (id, account, number_index, ip_index, at) VALUES ('att_x', 'acc_x', '', '', %d)", db.Micros(long)))
}

func anOrder(id, state string, at time.Time) string {
	return fmt.Sprintf(`INSERT INTO order_order (id, account_id, subject, kind, state, version, currency, total_minor, catalogue_version, quote_hash, idem_key, idem_digest,
		receipt, placed_at, expires_at, paid_at, ended_at) VALUES ('%[1]s', 'acc_x', 'sub_x', 'new', '%[2]s', 1, 'CNY', 7, 1, '', '%[1]s', '', '', %[3]d, 0, %[3]d, %[3]d)`, id, state, db.Micros(at))
}

func aLine(order string, months int) string {
	return fmt.Sprintf(`INSERT INTO order_line (id, order_id, number, kind, product, region, options, months, amount_minor, configuration, state, service_id, problem)
		VALUES ('orl_%[1]s', '%[1]s', 1, 'recurring', 'p', 'r', '{}', %[2]d, 7, '{}', 'delivered', 'svc_x', '')`, order, months)
}

func aService(id, state string, paidThrough time.Time) string {
	return fmt.Sprintf(`INSERT INTO service_item (id, account, subject, order_id, line, product, region, options, configuration, months, resource, state, attempt, provider_key,
		problem, reasons, paid_through, overdue_since, cancel_at_end, locked, version, created_at, delivered_at)
		VALUES ('%[1]s', 'acc_x', 'sub_x', 'ord_x', 'orl_%[1]s', 'p', 'r', '{}', '{}', 12, '', '%[2]s', 1, 'k%[1]s', '', '', %[3]d, 0, 0, 0, 1, %[3]d, %[3]d)`, id, state, db.Micros(paidThrough))
}

func anAct(seq int, decision string, at time.Time) string {
	return fmt.Sprintf(`INSERT INTO consent_event (id, subject, purpose, seq, kind, decision, act, document, number, rank, text_sha256, locale, channel, adult, at, receipt)
		VALUES ('con_%[1]d', 'sub_x', 'contact_phone', %[1]d, 'separate', '%[2]s', 'act', 'platform', '1.0.0', 1, '', 'en', 'web', 1, %[3]d, '')`, seq, decision, db.Micros(at))
}

// plant runs statements and returns how many rows the tables have.
func (in *rig) plant(t *testing.T, tables []string, statements ...string) func() int64 {
	t.Helper()
	must(t, in.stores.main.InTx(context.Background(), func(tx *db.Tx) error {
		for _, text := range statements {
			if _, err := tx.Exec(context.Background(), text); err != nil {
				return err
			}
		}
		return nil
	}))
	return func() (n int64) {
		for _, table := range tables {
			n += in.count(t, table)
		}
		return n
	}
}

func (in *rig) count(t *testing.T, from string) int64 {
	t.Helper()
	n, err := db.Get(context.Background(), in.stores.main, nil, db.One[int64], "SELECT count(*) FROM "+from)
	must(t, err)
	return n
}

// The night leaves what is not over: the order of a year that is less than three
// years past, the grant that is in force, what a hold keeps, the identity that a
// service needs.
func TestTheNightLeavesWhatIsNotOver(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx, today := context.Background(), civil.DayOf(time.Now())
	long, year := today.AddMonths(-12*15).Start(), today.AddMonths(-12*4).Start()
	left := in.plant(t, []string{"order_order", "order_line", "service_item", "consent_event WHERE subject = 'sub_x'"},
		anOrder("ord_over", "completed", year.AddDate(0, 0, -1)), aLine("ord_over", 12),
		anOrder("ord_left", "completed", year.AddDate(0, 0, 1)), aLine("ord_left", 12),
		anOrder("ord_due", "pending_payment", long),
		aService("svc_a", "active", long), aService("svc_t", "terminated", today.AddMonths(-35).Start()),
		anAct(1, "grant", long), anAct(2, "grant", long.Add(time.Hour)))
	must(t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE order_order SET ended_at = 0, paid_at = 0 WHERE id = 'ord_due'")
		return err
	}))
	before := left()
	hold, err := in.modules.privacy.PlaceHold(ctx, account.Principal{Subject: "sub_s", Staff: true},
		privacy.Hold{Subject: "sub_x", Law: "CSL 28", Authority: "a court", Until: time.Now().AddDate(0, 1, 0)})
	must(t, err)
	must(t, in.modules.privacy.Retain(ctx))
	if left() != before {
		t.Errorf("a held person had %d rows and has %d", before, left())
	}
	must(t, in.modules.privacy.EndHold(ctx, account.Principal{Subject: "sub_s", Staff: true}, hold.ID))
	must(t, in.modules.privacy.Retain(ctx))
	for what, want := range map[string]int64{
		"order_order WHERE id = 'ord_over'": 0, "order_line WHERE order_id = 'ord_over'": 0, "order_order WHERE id = 'ord_left'": 1,
		"order_line WHERE order_id = 'ord_left'": 1, "order_order WHERE id = 'ord_due'": 1, "service_item": 2,
		"consent_event WHERE id = 'con_1'": 0, "consent_event WHERE id = 'con_2'": 1,
	} {
		if got := in.count(t, what); got != want {
			t.Errorf("%s: %d are left, want %d", what, got, want)
		}
	}
}

// What the log tells of an order goes when the order is gone, and not before.
func TestWhatTheLogTellsOfAnOrderGoesWithIt(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx, today := context.Background(), civil.DayOf(time.Now())
	must(t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
		return in.modules.audit.AppendTx(ctx, tx, audit.Event{Type: "order.placed", Subject: "sub_x", Actor: audit.Actor{Class: "self", Handle: "sub_x"}, Detail: map[string]string{"order": "ord_x"}})
	}))
	month := today.String()[:7]
	told := func() int64 { return in.count(t, "audit_payload WHERE handle = 'sub_x' AND length(body) > 0") }
	if n := in.count(t, "audit_payload WHERE handle = 'sub_x' AND class = 'order/"+month+"'"); n != 1 {
		t.Fatalf("%d details have the key of the month", n)
	}
	later := today.AddMonths(37)
	run := retention.Run{Now: later.Start(), Profile: "mainland", Held: retention.Unheld}
	_ = in.plant(t, nil, anOrder("ord_x", "pending_payment", today.Start()))
	if _, err := in.modules.audit.Retain(ctx, run); err != nil || told() != 1 {
		t.Errorf("while the order is kept: %d, %v", told(), err)
	}
	_ = in.plant(t, nil, "DELETE FROM order_order")
	early := retention.Run{Now: today.AddMonths(35).Start(), Profile: "mainland", Held: retention.Unheld}
	if _, err := in.modules.audit.Retain(ctx, early); err != nil || told() != 1 {
		t.Errorf("before the floor: %d, %v", told(), err)
	}
	if _, err := in.modules.audit.Retain(ctx, run); err != nil || told() != 0 {
		t.Errorf("after the order: %d, %v", told(), err)
	}
}
