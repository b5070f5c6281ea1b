package privacy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// A mis-collected minor is a case that is due today, and everything that is open
// of the person ends with it.
func TestAMinorsErasureIsDueToday(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		erase := func() (fresh bool) {
			t.Helper()
			must(t, r.db.InTx(ctx, func(tx *db.Tx) (err error) {
				fresh, err = r.s.EraseMinorTx(ctx, tx, "sub_kid", "acc_kid")
				return err
			}))
			return fresh
		}
		if !erase() {
			t.Error("the first is not fresh")
		}
		desk, err := r.s.Desk(ctx, desk, false)
		must(t, err)
		if len(desk) != 1 || desk[0].Kind != Delete || desk[0].State != Carrying || desk[0].Decision != Granted || desk[0].Subject != "sub_kid" || lastDay(desk[0].Due) != "2026-04-30" {
			t.Fatalf("the desk: %+v", desk)
		}
		if !slices.Equal(r.ends.did, []string{"tunnels of acc_kid", "logins of sub_kid"}) {
			t.Errorf("frozen: %v", r.ends.did)
		}
		if erase() {
			t.Error("while it is open another one begins")
		}
		must(t, r.s.Carried(ctx, account.Principal{}, desk[0].ID))
		if !erase() {
			t.Error("after it is done a new one does not begin")
		}
		if report, err := r.audit.Verify(ctx); err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
	})
}

// A guardian's request is granted once two of the staff saw the same proof; then
// the child's data are erased and what is open of the child ends.
func TestAGuardianProvesItToTwoOfTheStaff(t *testing.T) {
	t.Parallel()
	document, other := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	each(t, func(t *testing.T, r *rig) {
		one := account.Principal{Account: "acc_8", Subject: "sub_8", Staff: true}
		two := account.Principal{Account: "acc_9", Subject: "sub_9", Staff: true}
		req := r.open(t, Guardian)
		must(t, r.s.AskIdentity(ctx, one, req.ID))
		must(t, r.s.Identified(ctx, one, req.ID))
		grant := Answer{Decision: Granted, Words: "done"}
		refused := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", what, err, want)
			}
			if len(r.ends.did) != 0 {
				t.Fatalf("%s: something was frozen: %v", what, r.ends.did)
			}
		}
		see := func(p account.Principal, child account.ID, document string) error {
			_, err := r.s.SeeProof(ctx, p, req.ID, child, document)
			return err
		}
		refused("without a proof", r.s.Answer(ctx, one, req.ID, grant), ErrProof)
		refused("no digest", see(one, "acc_kid", "scan.pdf"), ErrNoProof)
		refused("no such child", see(one, "acc_nobody", document), ErrNoChild)
		refused("the asker", see(alice, "acc_kid", document), ErrOwn)
		refused("another kind", func() error {
			_, err := r.s.SeeProof(ctx, one, r.open(t, Question).ID, "acc_kid", document)
			return err
		}(), ErrState)
		must(t, see(one, "acc_kid", document))
		refused("one person's proof", r.s.Answer(ctx, two, req.ID, grant), ErrProof)
		refused("the same person", see(one, "acc_kid", document), ErrProofSame)
		refused("another document", see(two, "acc_kid", other), ErrNoProof)
		must(t, see(two, "acc_kid", document))
		must(t, r.s.Answer(ctx, two, req.ID, grant))
		if !slices.Equal(r.ends.did, []string{"tunnels of acc_kid", "logins of sub_kid"}) {
			t.Errorf("frozen: %v", r.ends.did)
		}
		desk, err := r.s.Desk(ctx, desk, false)
		must(t, err)
		if !slices.ContainsFunc(desk, func(d Request) bool { return d.Subject == "sub_kid" && d.Kind == Delete && d.State == Carrying }) {
			t.Errorf("the desk: %+v", desk)
		}
	})
}
