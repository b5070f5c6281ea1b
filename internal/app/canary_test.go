package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// planted is one filled personal field of a person before the erasure.
type planted struct {
	column holding.Column
	kept   bool
	ref    vault.Ref // of a sealed one
	sealed []byte
	clear  string
}

// fields reads every personal column of the rows that modules say are a person's,
// as they lie in the database.
func (in *rig) fields(p holding.Person) map[string][]planted {
	in.t.Helper()
	tables := map[string]holding.Table{}
	for _, t := range Holdings() {
		tables[t.Name] = t
	}
	who := map[holding.By]string{holding.ByHandle: string(p.Handle), holding.ByAccount: p.Account, holding.ByClient: p.Client}
	all := map[string][]planted{}
	for _, h := range Held() {
		if who[h.By] == "" {
			continue
		}
		var names []string
		columns := map[string]holding.Column{}
		for _, c := range tables[h.Table].Columns {
			names = append(names, c.Name)
			columns[c.Name] = c
		}
		rows, err := db.Select(context.Background(), in.stores.main, scanCells(names), "SELECT "+strings.Join(names, ", ")+" FROM "+h.Table+" WHERE "+h.Where, who[h.By])
		must(in.t, err)
		for _, row := range rows {
			for name, c := range columns {
				if c.Category == "" || empty(row[name]) {
					continue
				}
				f := planted{column: c, kept: h.Keeps != nil && h.Clears[name] == ""}
				if raw, ok := row[name].([]byte); ok && c.Sealed {
					f.ref, f.sealed = refOf(h, name, row, p.Handle), raw
				} else if ok {
					f.clear = string(raw)
				} else {
					f.clear = fmt.Sprint(row[name])
				}
				all[h.Table+"."+name] = append(all[h.Table+"."+name], f)
			}
		}
	}
	return all
}

func scanCells(names []string) func(db.Row) (holding.Row, error) {
	return func(r db.Row) (holding.Row, error) {
		cells, to := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			to[i] = &cells[i]
		}
		row := holding.Row{}
		err := r.Scan(to...)
		for i, n := range names {
			row[n] = cells[i]
		}
		return row, err
	}
}

func empty(cell any) bool {
	switch v := cell.(type) {
	case nil:
		return true
	case string:
		return v == "" || v == "{}"
	case []byte:
		return len(v) == 0
	case int64:
		return v == 0
	}
	return false
}

// refOf is what a sealed cell was sealed for, if a copy opens it.
func refOf(h holding.Held, column string, row holding.Row, subject id.Handle) vault.Ref {
	for _, o := range h.Opens {
		if o.Column != column {
			continue
		}
		ref := vault.Ref{Table: h.Table, Column: column, Row: fmt.Sprint(row[o.Row]), Subject: subject, Class: o.KeyClass(row)}
		if o.Subject != nil {
			ref.Subject = o.Subject(row)
		}
		return ref
	}
	return vault.Ref{}
}

// undriven are personal fields that this test does not fill through the product's
// faces, each with the reason. A new field is here or is filled: there is no third.
var undriven = reasons(
	"an upgrade's rows are kept by law; its own test makes them", "service_change.order_id service_change.line service_change.service service_change.options "+
		"order_line.resource order_line.value_minor order_line.starts_at order_line.ends_at order_upgrade.service order_upgrade.order_id",
	"nothing is paid from a wallet before there is one", "service_item.auto_renew",
	"nothing is paid back or in arrears before the business side is there", "payment_attempt.refunded_minor payment_attempt.disputed service_item.overdue_since",
	"a refund has tests of its own; its rows are kept by law", "payment_refund.refund_no payment_refund.order_id payment_refund.attempt_no payment_refund.receipt_id "+
		"payment_refund.account_id payment_refund.subject payment_refund.rule payment_refund.target payment_refund.amount_minor payment_refund.wallet_minor payment_refund.gift_minor payment_refund.currency "+
		"payment_refund.phase payment_refund.problem payment_refund.journal_id payment_refund.requested_at payment_refund.settled_at "+
		"payment_refund_step.refund_no payment_refund_step.event payment_refund_step.phase payment_refund_step.reason payment_refund_step.at",
	"only of a credit note, or where a tax is set; the module's tests have both", "invoice_document.refund_no invoice_document.invoice_id invoice_document.tax_minor invoice_document.tax_rate",
	"a balance holds an erasure up; its own test has one", "ledger_account.code",
	"accounting rows of wallets and transfers are kept by law; payment's tests make them", "payment_attempt.hold_wallet_minor payment_attempt.hold_gift_minor "+
		"payment_grant.id payment_grant.kind payment_grant.account_id payment_grant.amount_minor payment_grant.currency payment_grant.left_minor payment_grant.expires_at payment_grant.reason payment_grant.state payment_grant.asked_by payment_grant.asked_at payment_grant.decided_by payment_grant.decided_at payment_grant.journal_id "+
		"payment_gift_use.grant_id payment_gift_use.ref payment_gift_use.amount_minor payment_transfer.id payment_transfer.attempt_no payment_transfer.bank_reference payment_transfer.amount_minor payment_transfer.currency payment_transfer.received_on payment_transfer.proof payment_transfer.reason payment_transfer.state payment_transfer.entered_by payment_transfer.entered_at payment_transfer.decided_by payment_transfer.decided_at payment_transfer.result",
	"what differs from a bill and what lies in suspense is kept by law; payment's tests make it", "payment_difference.id payment_difference.ref payment_difference.attempt_no payment_difference.provider_trade_no payment_difference.refund_no payment_difference.kind payment_difference.currency payment_difference.here_minor payment_difference.there_minor payment_difference.here_state payment_difference.state payment_difference.outcome payment_difference.booked_minor payment_difference.at "+
		"payment_difference_step.difference_id payment_difference_step.event payment_difference_step.state payment_difference_step.reason payment_difference_step.here_minor payment_difference_step.there_minor payment_difference_step.journal_id payment_difference_step.at "+
		"payment_suspense.id payment_suspense.receipt_id payment_suspense.kind payment_suspense.order_id payment_suspense.account_id payment_suspense.reference payment_suspense.amount_minor payment_suspense.currency payment_suspense.reason payment_suspense.state payment_suspense.journal_id",
	"only of a corrected real name, which has a test of its own", "realname_grant.case_id",
	"a hold keeps an erasure back; its own test has one", "privacy_hold.subject",
	"of verifications that failed, or of minors, who have tests of their own", "realname_verification.reason realname_verification.band incident_person.minor",
	"of an order of an authority, which has tests of its own", "legalorder_subject.handle",
	"a guardian's case has tests of its own", "privacy_guardian.child",
	"tasks are for people who cannot be reached; they have tests of their own", "incident_task.subject incident_task.kind incident_task.outcome incident_task.reference "+
		"incident_task.made_at incident_task.closed_at incident_delivery.seen_at",
	"the erasure itself makes it, later", "erasure_case.subject erasure_case.account erasure_case.client erasure_case.cause erasure_case.searched",
	"only of a transfer abroad, which the mainland profile has none of", "residency_export.handle",
	"of an order of an authority, or a successor, which have tests of their own", "audit_read.legal_order audit_read.shown_from audit_disclosure.legal_order "+
		"audit_disclosure.shown_from consent_event.epoch",
	"of minors and their guardians, who have tests of their own", "age_event.subject age_event.band age_event.source age_event.at age_guardian.document "+
		"age_vacancy.subject age_vacancy.cause age_vacancy.since age_vacancy.restricted_at "+
		"age_read.subject age_read.purpose age_read.reason age_read.asked_at age_read.approved_at age_read.approver age_read.reader",
	"only of a transfer abroad, as the one above", "audit_disclosure.mechanism",
	"of readings by staff; the arrangement of the test has none", "audit_read.reader",
	"made when its link is opened, for minutes", "vpn_enrolment.totp_sealed",
	"lives while a session does; the session here has ended", "fleet_live.client_version fleet_live.session",
	"only a special case has it", "privacy_request.special",
	"minutes long, after failures on a live gateway", "vpn_attempt.source_sealed vpn_device.label_sealed",
)

// reasons takes reasons and names in turn.
func reasons(all ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(all); i += 2 {
		for _, name := range strings.Fields(all[i+1]) {
			m[name] = all[i]
		}
	}
	return m
}

// The main proof of erasure (job 1 of the privacy specification): every field that
// the data map calls personal is filled by using the product, is there before
// (positive control), and after the erasure is in no table, file or log, in no
// form; what was sealed opens with no key that is left.
func TestEveryPersonalFieldIsPlantedFoundAndErased(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx := context.Background()
	p := in.customer("canary-5kq2", 7)
	p.plant()
	me := p.self()
	handle, err := db.Get(ctx, in.stores.main, nil, db.One[string], "SELECT subject FROM vpn_client WHERE id = $1", p.ids["ssl-clients"])
	must(t, err)
	user := holding.Person{Handle: id.Handle(handle), Client: p.ids["ssl-clients"]}
	before := in.fields(me)
	for name, f := range in.fields(user) {
		before[name] = append(before[name], f...)
	}
	for _, table := range Holdings() {
		for _, c := range table.Columns {
			name := table.Name + "." + c.Name
			if c.Category == "" || notHeld[table.Name] != "" {
				continue
			}
			switch filled, why := len(before[name]) > 0, undriven[name]; {
			case !filled && why == "":
				t.Errorf("%s (%s): nothing here fills it", name, c.Category)
			case filled && why != "":
				t.Errorf("%s: is filled, and listed as one that is not", name)
			}
		}
	}
	values := telling(before)
	for _, v := range values {
		if len(in.places(v)) == 0 {
			t.Errorf("the search is blind: it does not find %q of a living person", v)
		}
	}

	number := p.close()
	of, err := in.modules.erasure.Of(ctx, user.Handle)
	must(t, err)
	in.erased(of.ID)
	for _, who := range []holding.Person{me, user} {
		for name, f := range in.fields(who) {
			if !f[0].kept {
				t.Errorf("%s: %d rows are left", name, len(f))
			}
		}
	}
	look, err := scan.For(values)
	must(t, err)
	for _, store := range []func() (scan.Report, error){
		func() (scan.Report, error) { return look.Database(ctx, in.stores.main, "main") },
		func() (scan.Report, error) { return look.Database(ctx, in.stores.keys, "keys") },
		func() (scan.Report, error) { return look.Files(ctx, in.cfg.Data) },
	} {
		r, err := store()
		must(t, err)
		for _, h := range r.Hits {
			t.Errorf("left in %s, as %s", h.Place, h.Form)
		}
	}
	if found, _, err := look.Reader(strings.NewReader(in.log.String())); err != nil || len(found) > 0 {
		t.Errorf("the log holds %v, %v", found, err)
	}
	for name, all := range before {
		for _, f := range all {
			if f.ref.Row == "" || f.kept {
				continue
			}
			if err := in.opens(f); !errors.Is(err, vault.ErrErased) {
				t.Errorf("%s: what was sealed before opens, or fails otherwise: %v", name, err)
			}
		}
	}
	details := in.details(me.Handle)
	in.casesEnd(before)
	in.detailsEnd(me, details)
	if c, err := in.modules.erasure.Case(ctx, number); err != nil || c.Step != erasure.Done {
		t.Errorf("%v, %v", c.Step, err)
	}
}

// opens tries every key that is left at a sealed field.
func (in *rig) opens(f planted) error {
	ctx := context.Background()
	ticket, err := in.stores.vault.Begin(ctx, vault.Read{Reader: vault.Reader{Class: vault.Job}, Subject: f.ref.Subject, Fields: []string{f.ref.Field()}, Purpose: "rights", Reason: "drill"})
	if err == nil {
		_, err = in.stores.vault.Open(ctx, ticket, f.ref, f.sealed)
	}
	return err
}

// casesEnd has the floor after the close of every case pass: what was written in
// them was kept until then, and opens with no key that is left.
func (in *rig) casesEnd(before map[string][]planted) {
	in.t.Helper()
	ctx := context.Background()
	of := func(each func(name string, f planted)) {
		for name, all := range before {
			for _, f := range all {
				if f.kept && strings.HasPrefix(f.ref.Table, "privacy_") {
					each(name, f)
				}
			}
		}
	}
	fields := map[string]bool{}
	of(func(name string, f planted) {
		fields[name] = true
		if err := in.opens(f); err != nil || !strings.HasPrefix(f.ref.Class, "case/") {
			in.t.Errorf("%s, which the law keeps, has the key %s: %v", name, f.ref.Class, err)
		}
	})
	if len(fields) != 3 {
		in.t.Errorf("words, letters and mails are kept: got %v", fields)
	}
	must(in.t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE privacy_request SET closed_at = $1", db.Micros(time.Now().AddDate(-4, 0, 0)))
		return err
	}))
	must(in.t, in.modules.privacy.Retain(ctx))
	of(func(name string, f planted) {
		if err := in.opens(f); !errors.Is(err, vault.ErrErased) {
			in.t.Errorf("%s after its term opens, or fails otherwise: %v", name, err)
		}
	})
}

// entry is what the log tells of a person, sealed.
type entry struct {
	ref  vault.Ref
	body []byte
}

func (in *rig) details(of id.Handle) []entry {
	in.t.Helper()
	all, err := db.Select(context.Background(), in.stores.main, func(r db.Row) (e entry, err error) {
		e.ref = vault.Ref{Table: "audit_payload", Column: "body", Subject: of}
		return e, r.Scan(&e.ref.Row, &e.ref.Class, &e.body)
	}, "SELECT id, class, body FROM audit_payload WHERE handle = $1", string(of))
	must(in.t, err)
	return all
}

// detailsEnd holds what the log tells of an erased person to the key of each thing
// that it tells of: what no law keeps opened with none since the erasure, what is of
// a case with none since its end, and the rest until the term after the erasure.
func (in *rig) detailsEnd(p holding.Person, details []entry) {
	in.t.Helper()
	ctx := context.Background()
	expect := func(when string, ended ...string) {
		in.t.Helper()
		must(in.t, in.modules.privacy.Retain(ctx))
		seen, left := map[string]bool{}, map[string]int{}
		for _, e := range in.details(p.Handle) {
			left[e.ref.Row] = len(e.body)
		}
		for _, e := range details {
			over := slices.ContainsFunc(ended, func(class string) bool { return strings.HasPrefix(e.ref.Class, class) })
			_, err := in.stores.vault.CommitmentOf(ctx, e.ref, e.body)
			if over != errors.Is(err, vault.ErrErased) || !over && err != nil || over != (left[e.ref.Row] == 0) {
				in.t.Errorf("%s: a detail with the key %s: %v, %d bytes left", when, e.ref.Class, err, left[e.ref.Row])
			}
			for _, class := range []string{"account_core", "case/dsr_", "case/ers_", "order", "consent", "disclosure/"} {
				seen[class] = seen[class] || strings.HasPrefix(e.ref.Class, class)
			}
		}
		if len(seen) != 6 || slices.Contains(slices.Collect(maps.Values(seen)), false) {
			in.t.Errorf("%s: not all kinds of details are there: %v", when, seen)
		}
		report, err := in.modules.audit.Verify(ctx)
		if err != nil || len(report.Problems) > 0 {
			in.t.Errorf("%s: the log has problems %v, %v", when, report.Problems, err)
		}
	}
	gone := []string{"account_core", "realname_result", "case/dsr_"}
	expect("after the cases", gone...)
	must(in.t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
		long := db.Micros(time.Now().AddDate(-4, 0, 0))
		_, err := tx.Exec(ctx, "UPDATE erasure_case SET effective_at = $1, complete_at = $1 WHERE subject = $2", long, string(p.Handle))
		return err
	}))
	expect("after the erasure's term", append(gone, "case/ers_", "order", "consent")...)
	for _, h := range Held() {
		if h.Keeps == nil || h.Keeps.Class != "order" && h.Keeps.Class != "consent" {
			continue
		}
		if n, err := h.Count(ctx, in.stores.main, p); err != nil || n > 0 {
			in.t.Errorf("%d rows of %s are left after their term (%v)", n, h.Table, err)
		}
	}
}

// telling are the values in the clear that say whom they belong to, and that no
// law keeps.
func telling(all map[string][]planted) []string {
	values := map[string]bool{}
	for _, fields := range all {
		for _, f := range fields {
			switch f.column.Category {
			case holding.AccountName, holding.Certificate, holding.Email, holding.Phone, holding.QQ, holding.IDNumber:
				if len(f.clear) >= 10 && !f.kept && !strings.HasPrefix(f.clear, "sub_") && !strings.HasPrefix(f.clear, "acc_") {
					values[f.clear] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// moves changes the address, has the carrier told, and begins to change it again.
func (p *person) moves() {
	p.in.t.Helper()
	p.in.drain()
	p.do(202, "POST", "/me/email", object{"email": p.name + ".moved@example.org"})
	token, err := p.in.modules.account.IssueEmailChange(context.Background(), p.self().Handle)
	must(p.in.t, err)
	p.do(204, "POST", "/email-verifications", object{"token": token})
	all, err := p.in.modules.privacy.Untold(context.Background())
	must(p.in.t, err)
	for _, task := range all {
		must(p.in.t, p.in.modules.privacy.Told(context.Background(), account.Principal{Subject: "sub_desk", Staff: true}, task.ID, "canary letter 1"))
	}
	p.do(202, "POST", "/me/email", object{"email": p.name + ".again@example.org"})
}

// plant fills what a customer's first day does not, through the faces of the
// product: a second factor, a browser that is remembered, an arrangement for
// death, requests that were answered, a session that ended, and what an
// administrator does for a login account.
func (p *person) plant() {
	p.in.t.Helper()
	ctx, client := context.Background(), p.ids["ssl-clients"]
	p.do(200, "PATCH", "/ssl-clients/"+client, object{"description": "canary of a description"})
	p.do(200, "POST", "/ssl-clients/"+client+"/recovery-codes", nil)
	p.do(200, "POST", "/ssl-clients/"+client+"/reset-password", object{"reason": "other", "reason_text": "canary of a reason"})
	p.do(200, "POST", "/ssl-clients/"+client+"/token-invitation", nil)
	p.do(204, "POST", "/notices/"+p.ids["notices"]+"/read", nil)
	for path, entry := range map[string]object{"qq": {"qq": "99999999998"}, "region": {"country": "CN", "province": "canary province", "city": "canary city"}} {
		entry["consent_token"] = p.do(200, "GET", "/consent-prompts/contact."+path, nil).str("token")
		p.do(204, "POST", "/me/"+map[string]string{"qq": "qq", "region": "place"}[path], entry)
	}
	ticket := p.ids["tickets"]
	p.do(201, "POST", "/tickets/"+ticket+"/files", object{"file_name": "canary.txt", "content": []byte("canary of a file")})
	boss := p.in.boss()
	boss.do(204, "POST", "/admin/tickets/"+ticket+"/notes", object{"words": "canary of a note"})
	p.do(204, "POST", "/me/notice-preferences", object{"off": []object{{"event": "order.paid", "channel": "mail"}}, "quiet_begins": "14:00", "quiet_ends": "14:00"})
	p.asksForCode("13900107919")
	p.do(204, "POST", "/me/phone/confirm", object{"code": p.in.codeOf("13900107919")})
	p.asksForCode("13800107919") // waits for its code
	p.do(204, "POST", "/me/arrangement", object{"words": "canary of an arrangement"})
	p.do(201, "POST", "/data-subject-requests", object{"kind": "copy"})
	p.do(202, "POST", "/me/proof-pack", nil)
	p.moves()
	refused := p.do(201, "POST", "/data-subject-requests", object{"kind": "restrict"}).str("id")
	boss.do(204, "POST", "/admin/data-subject-requests/"+refused+"/answer", object{
		"decision": "refused", "reason": "must_keep", "law": "CSL-23", "remedies": []string{"court", "complaint", "authority"}, "words": "canary of an answer",
	})
	must(p.in.t, p.in.mails.Deliver("privacy", []byte("From: "+p.name+".moved@example.org\r\nSubject: canary of a mail\r\n\r\nwhat do you hold of me?\r\n")))
	p.in.beat()
	p.in.drain()
	d, err := p.in.modules.fleet.Desired(ctx, p.in.node.ID)
	must(p.in.t, err)
	session := p.ids["vpn-sessions"]
	must(p.in.t, p.in.modules.fleet.Ingest(ctx, p.in.node.ID, gwlink.Report{
		Node: p.in.node.ID, Sent: time.Now(), Generation: d.Generation, Version: "test",
		Live: []gwlink.Counters{{Session: session, BytesIn: 10, BytesOut: 20, Transport: "tls", Client: "canary of a version"}},
	}))
	must(p.in.t, p.in.modules.fleet.Ingest(ctx, p.in.node.ID, gwlink.Report{
		Node: p.in.node.ID, Sent: time.Now(), Generation: d.Generation, Version: "test",
		Closed: []gwlink.SessionClosed{{Session: session, At: time.Now(), Reason: gwlink.ReasonUser, BytesIn: 10, BytesOut: 20}},
	}))
	p.do(201, "POST", "/login-sessions", object{"user_name": p.name, "password": p.password, "remember": true})
	at, err := url.Parse(p.do(200, "POST", "/me/totp", nil).str("url"))
	must(p.in.t, err)
	code, err := totp.GenerateCode(at.Query().Get("secret"), time.Now())
	must(p.in.t, err)
	confirmed := p.do(200, "POST", "/me/totp/confirm", object{"code": code})
	p.session, p.recovery = sessionOf(confirmed), confirmed.json["recovery_codes"].([]any)[0].(string)
	must(p.in.t, p.in.modules.account.FlushAccess(ctx))
	p.in.drain()
}

// What is deleted is deleted in backups too: its key ends with it, so no class that
// a law keeps may seal it.
func TestWhatAnErasureDeletesIsSealedUnderAKeyThatEnds(t *testing.T) {
	t.Parallel()
	kept := map[string]bool{}
	for _, h := range Held() {
		if h.Keeps != nil {
			kept[h.Keeps.Class] = true
		}
	}
	for _, h := range Held() {
		for _, table := range Holdings() {
			if h.Keeps != nil || table.Name != h.Table {
				continue
			}
			for _, c := range table.Columns {
				if c.Sealed && kept[c.Retention] {
					t.Errorf("%s.%s is deleted, and its class %s keeps its key", h.Table, c.Name, c.Retention)
				}
			}
		}
	}
}
