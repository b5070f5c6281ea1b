package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// log is a log in memory, written without the service's code.
type log struct {
	leaves []string
	hashes []tlog.Hash
	signer note.Signer
	key    string
}

// ReadHashes fills tlog.HashReader.
func (l *log) ReadHashes(at []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(at))
	for i, n := range at {
		all[i] = l.hashes[n]
	}
	return all, nil
}

func newLog(t *testing.T, n int) *log {
	t.Helper()
	secret, key, err := note.GenerateKey(rand.Reader, "test.example/log")
	must(t, err)
	signer, err := note.NewSigner(secret)
	must(t, err)
	l := &log{signer: signer, key: key}
	for i := range n {
		text := fmt.Sprintf("skybridge-log/v1\norder.paid\n2026-11-22T02:00:%02dZ\nsub_a\n%064x\n", i, i)
		added, err := tlog.StoredHashes(int64(i), []byte(text), l)
		must(t, err)
		l.leaves, l.hashes = append(l.leaves, text), append(l.hashes, added...)
	}
	return l
}

func (l *log) sign(t *testing.T, size int64) string {
	t.Helper()
	root, err := tlog.TreeHash(size, l)
	must(t, err)
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("test.example/log\n%d\n%s\n", size, root)}, l.signer)
	must(t, err)
	return string(signed)
}

func (l *log) proof(t *testing.T) proof {
	t.Helper()
	record, err := tlog.ProveRecord(13, 6, l)
	must(t, err)
	tree, err := tlog.ProveTree(13, 5, l)
	must(t, err)
	return proof{
		Format: "skybridge-proof/v1", Checkpoint: l.sign(t, 13), Older: l.sign(t, 5), Consistency: encode(tree),
		Inclusion: &inclusion{Index: 6, Leaf: l.leaves[6], Hashes: encode(record)},
	}
}

func encode(all []tlog.Hash) []string {
	texts := []string{}
	for _, h := range all {
		texts = append(texts, base64.StdEncoding.EncodeToString(h[:]))
	}
	return texts
}

func TestEachItemIsNamedWhenItDoesNotHold(t *testing.T) {
	t.Parallel()
	l := newLog(t, 13)
	other := newLog(t, 13)
	cases := []struct {
		name   string
		change func(*proof)
		want   string // empty: everything holds
	}{
		{"untouched", func(*proof) {}, ""},
		{"no proofs", func(p *proof) { p.Inclusion, p.Older, p.Consistency = nil, "", nil }, ""},
		{"another log's checkpoint", func(p *proof) { p.Checkpoint = other.sign(t, 13) }, "checkpoint:"},
		{"altered size", func(p *proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n13\n", "\n14\n", 1) }, "checkpoint:"},
		{"altered entry", func(p *proof) { p.Inclusion.Leaf = l.leaves[7] }, "inclusion:"},
		{"altered index", func(p *proof) { p.Inclusion.Index = 7 }, "inclusion:"},
		{"index beyond", func(p *proof) { p.Inclusion.Index = 13 }, "inclusion:"},
		{"entry of another form", func(p *proof) { p.Inclusion.Leaf = "hello\n" }, "inclusion:"},
		{"shorter path", func(p *proof) { p.Inclusion.Hashes = p.Inclusion.Hashes[1:] }, "inclusion:"},
		{"malformed hash", func(p *proof) { p.Inclusion.Hashes[0] = "AA==" }, "inclusion:"},
		{"older unsigned", func(p *proof) { p.Older = "x" }, "consistency:"},
		{"older of another log", func(p *proof) { p.Older = other.sign(t, 5) }, "consistency:"},
		{"older is newer", func(p *proof) { p.Checkpoint, p.Older, p.Inclusion = p.Older, p.Checkpoint, nil }, "consistency:"},
		{"no path", func(p *proof) { p.Consistency = nil }, "consistency:"},
		{"unknown format", func(p *proof) { p.Format = "v9" }, "proof file:"},
	}
	for _, c := range cases {
		p := l.proof(t)
		c.change(&p)
		file, err := json.Marshal(p)
		must(t, err)
		_, err = check(file, l.key+"\n")
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	l, dir := newLog(t, 13), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	key, wrong := write("log.pub", l.key+"\n"), write("wrong.pub", newLog(t, 1).key)
	checkpoint, garbage := write("checkpoint", l.sign(t, 13)), write("garbage", "{")
	cases := []struct {
		args []string
		want int
	}{
		{[]string{"--key", key, checkpoint}, 0},
		{[]string{"--key", wrong, checkpoint}, exitFalse},
		{[]string{"--key", key, garbage}, exitFalse},
		{[]string{"--key", key, filepath.Join(dir, "absent")}, exitUsage},
		{[]string{"--key", key, checkpoint, checkpoint}, 0},
		{[]string{"--key", key, checkpoint, garbage, checkpoint}, exitFalse},
		{[]string{"--key", key, garbage, filepath.Join(dir, "absent"), checkpoint}, exitUsage},
		{[]string{"--key", key}, exitUsage},
		{[]string{checkpoint}, exitUsage},
		{[]string{"--unknown"}, exitUsage},
	}
	for _, c := range cases {
		var out, problems bytes.Buffer
		if got := run(c.args, &out, &problems); got != c.want {
			t.Errorf("%v: got %d, want %d; %s%s", c.args, got, c.want, out.String(), problems.String())
		}
		if c.want == 0 && !strings.Contains(out.String(), "size 13") || c.want != 0 && problems.Len() == 0 {
			t.Errorf("%v said %q, %q", c.args, out.String(), problems.String())
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("test.example/log\n1\nAAAA\n\n— x y\n"))
	f.Add([]byte(`{"format":"skybridge-proof/v1","checkpoint":"x","inclusion":{"index":0,"leaf":"a","hashes":["b"]}}`))
	_, key, err := note.GenerateKey(rand.Reader, "test.example/log")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := check(file, key); err == nil {
			t.Error("a file that nobody signed holds")
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
