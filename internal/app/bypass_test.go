package app

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Whoever asks the database itself, as a replica, a migration or a tool of an
// administrator does, finds no sealed value, cannot have one opened for somebody
// else, and leaves a trace with a forged act.
func TestTheDatabaseItselfSaysNothing(t *testing.T) {
	t.Parallel()
	in := install(t)
	own, other := in.customer("canary-own", 1), in.customer("canary-other", 2)
	number := civilid.Complete("11000019900101001")
	canaries := []string{"canary-own@example.org", number, "演示", own.password, "203.0.113.7"}

	cells := 0
	for column, all := range in.fields(own.self()) {
		for _, f := range all {
			if !f.column.Sealed {
				continue
			}
			cells++
			for _, c := range canaries {
				if bytes.Contains(f.sealed, []byte(c)) || strings.Contains(f.clear, c) {
					t.Errorf("%s says %q to whoever asks the database", column, c)
				}
			}
		}
	}
	if cells < 20 {
		t.Errorf("only %d sealed cells were looked at", cells)
	}

	ctx := context.Background()
	exec := func(text string, args ...any) {
		must(t, in.stores.main.InTx(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, text, args...); return err }))
	}
	exec(`UPDATE realname_verification SET number = (SELECT v.number FROM realname_verification v WHERE v.id = $1) WHERE id = $2`,
		own.ids["real-name-verifications"], other.ids["real-name-verifications"])
	staff := account.Principal{Account: "acc_x", Subject: "sub_x", Session: "ses_x", Staff: true, StepUpUntil: time.Now().Add(time.Hour)}
	_, got, err := in.modules.realname.Reveal(ctx, staff, other.ids["real-name-verifications"], "case_1")
	if !errors.Is(err, vault.ErrIntegrity) || got != "" {
		t.Errorf("a value moved to another person's row: got %q, %v", got, err)
	}

	var names, values []string
	for _, table := range Holdings() {
		for _, c := range table.Columns {
			switch {
			case table.Name != "consent_event":
				continue
			case c.Name == "id":
				values = append(values, "'cns_forged'")
			case c.Name == "purpose":
				values = append(values, "'vpn_client_policy'")
			default:
				values = append(values, c.Name)
			}
			names = append(names, c.Name)
		}
	}
	exec("INSERT INTO consent_event ("+strings.Join(names, ", ")+") SELECT "+strings.Join(values, ", ")+
		" FROM consent_event WHERE subject = $1 AND purpose = 'platform_policy'", string(other.self().Handle))
	registry, err := recipients(in.cfg)
	must(t, err)
	f, err := in.modules.queries(in.cfg, in.stores, registry)["receipts_altered"](ctx)
	must(t, err)
	if f.Found == 0 {
		t.Error("an act that was written by hand is not noticed")
	}
}

// The program links no profiler and publishes no variables: a dump of its memory
// is not to be had by the network.
func TestTheProgramItselfSaysNothing(t *testing.T) {
	in := install(t)
	out, err := exec.Command("go", "list", "-deps", "../../cmd/skybridge").Output()
	must(t, err)
	for _, p := range []string{"net/http/pprof", "expvar"} {
		if strings.Contains(string(out), "\n"+p+"\n") {
			t.Errorf("the program links %s", p)
		}
	}
	boss := in.boss()
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars"} {
		if a := in.send(boss.session, "GET", path, ""); strings.Contains(a.text, "goroutine") || strings.Contains(a.text, "memstats") {
			t.Errorf("%s: %s", path, a)
		}
	}
}
