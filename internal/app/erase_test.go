package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// self is the person as the modules know them.
func (p *person) self() holding.Person {
	p.in.t.Helper()
	who, err := p.in.modules.account.Authenticate(context.Background(), p.session)
	must(p.in.t, err)
	return holding.Person{Handle: who.Subject, Account: string(who.Account)}
}

// copy makes the person's copy and checks its manifest: all files as one text.
func (p *person) copy(of holding.Person) string {
	p.in.t.Helper()
	c := privacy.Copier{DB: p.in.stores.main, Vault: p.in.stores.vault, Held: Held(), Tables: Holdings(), Clock: clock.System{}}
	raw, err := c.Copy(context.Background(), of, vault.Reader{Class: vault.Self, Handle: of.Handle}, "rights")
	must(p.in.t, err)
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(p.in.t, err)
	files, all := map[string][]byte{}, ""
	for _, f := range z.File {
		r, err := f.Open()
		must(p.in.t, err)
		files[f.Name], err = io.ReadAll(r)
		must(p.in.t, err)
		all += string(files[f.Name])
	}
	sums := map[string]string{}
	must(p.in.t, json.Unmarshal(files["manifest.json"], &sums))
	for name, want := range sums {
		if sum := sha256.Sum256(files[name]); hex.EncodeToString(sum[:]) != want {
			p.in.t.Errorf("%s is not what the manifest says", name)
		}
	}
	if len(sums) != len(files)-1 || len(sums) == 0 {
		p.in.t.Errorf("the manifest names %d of %d files", len(sums), len(files)-1)
	}
	return all
}

// A copy holds what is held of its person, opened, and nothing of another; a
// restore that replays the tombstones ends with neither rows nor keys.
func TestACopyIsItsPersonsAloneAndAReplayEndsIt(t *testing.T) {
	t.Parallel()
	in := install(t)
	own, other := in.customer("canary-own", 1), in.customer("canary-other", 2)
	me, them := own.self(), other.self()
	mine := []string{"canary-own@example.org", civilid.Complete("11000019900101001"), "演示", own.ids["orders"]}
	text := own.copy(me)
	for _, want := range mine {
		if !strings.Contains(text, want) {
			t.Errorf("the copy lacks %q", want)
		}
	}
	for _, secret := range []string{"\"password\":", "token_hash", "code_hash", "blind", "permissions"} {
		if strings.Contains(text, secret) {
			t.Errorf("the copy holds %s", secret)
		}
	}
	theirs := other.copy(them)
	for _, foreign := range []string{"canary-other", string(them.Handle), them.Account, civilid.Complete("11000019900101002")} {
		if strings.Contains(text, foreign) {
			t.Errorf("the copy holds %q of another person", foreign)
		}
	}

	file := in.cfg.Path("tombstones")
	tomb := vault.Tombstone{Handle: me.Handle, Account: me.Account, Classes: []string{"account_core", "realname_value"}, At: time.Now()}
	ctx := context.Background()
	must(t, in.stores.vault.Bury(ctx, file, tomb))
	for range 2 {
		must(t, erasure.Replay(ctx, in.stores.main, in.stores.vault, file, Held()))
	}
	text = own.copy(me)
	for _, gone := range mine[:3] {
		if strings.Contains(text, gone) {
			t.Errorf("%q is there after the replay", gone)
		}
	}
	if !strings.Contains(text, own.ids["orders"]) {
		t.Error("the order, which the law keeps, is gone")
	}
	if a := own.try("POST", "/login-sessions", object{"user_name": own.name, "password": own.password}, "k"); a.status < 400 {
		t.Errorf("an erased person signs in: %s", a)
	}
	if len(other.copy(them)) < len(theirs) {
		t.Error("another person's data went too")
	}
}

// The bytes of the database's files hold a name before the erasure and none
// after: rows are overwritten, not only unlinked.
func TestAnErasedNameIsInNoByteOfTheDatabase(t *testing.T) {
	t.Parallel()
	in := install(t)
	const name = "canary-7f3k9q"
	p := in.register(name)
	in.drain()
	if !in.inFiles(name) {
		t.Fatal("the scan is blind: a living person's name is not found")
	}
	ctx := context.Background()
	must(t, erasure.EraseRows(ctx, in.stores.main, Held(), p.self(), nil))
	in.drain()
	must(t, in.stores.main.Truncate(ctx))
	if in.inFiles(name) {
		t.Error("the name of an erased person is in the database's files")
	}
}

// inFiles tells whether a file of the data directory holds the text.
func (in *rig) inFiles(text string) (found bool) {
	in.t.Helper()
	must(in.t, filepath.WalkDir(in.cfg.Data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		found = found || bytes.Contains(raw, []byte(text))
		return err
	}))
	return found
}

// The user of an SSL client is a person too: their copy opens the addresses of
// their sessions, whose keys are of the day, and holds nothing of the account's
// owner.
func TestACopyOfAnSSLClientsUserOpensTheAddresses(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner := in.customer("owner-of-it", 1)
	client := owner.ids["ssl-clients"]
	handle, err := db.Get(context.Background(), in.stores.main, nil, db.One[string], "SELECT subject FROM vpn_client WHERE id = $1", client)
	must(t, err)
	user := holding.Person{Handle: id.Handle(handle), Client: client}
	text := owner.copy(user)
	for _, want := range []string{"laptop-owner-of-it", owner.ids["vpn-sessions"], "203.0.113.7", "10.9.0.2"} {
		if !strings.Contains(text, want) {
			t.Errorf("the copy lacks %q", want)
		}
	}
	for _, foreign := range []string{"owner-of-it@example.org", owner.ids["orders"], string(owner.self().Handle), "key_sealed", "password"} {
		if strings.Contains(text, foreign) {
			t.Errorf("the copy holds %q", foreign)
		}
	}
}
