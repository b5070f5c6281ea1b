package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// manifest binds the files of a pack. Its own hash is in an entry of the log.
type manifest struct {
	Format  string            `json:"format"`
	Kind    string            `json:"kind"`
	Subject string            `json:"subject"`
	MadeAt  string            `json:"made_at"`
	Size    int64             `json:"size"`
	Build   map[string]string `json:"build"`
	Files   map[string]string `json:"files"`
}

// pack is a pack while it is checked.
type pack struct {
	manifest
	files    map[string][]byte
	verifier note.Verifier
	tree     tlog.Tree
	entries  []entry
	byIndex  map[int64]int
	stored   storedHashes // of all entries; of an auditor's pack only
}

func (p *pack) person() bool { return p.Kind == "person" }

// step is one thing that is checked; it says what holds.
type step struct {
	name string
	do   func(*pack) (fact string, err error)
}

// steps, in the order in which each stands on those before it.
var steps = []step{
	{"log/checkpoint", (*pack).checkpoint},
	{"manifest.json", (*pack).seal},
	{"files", (*pack).hashes},
	{"log/entries.jsonl", (*pack).log},
	{"log/consistency.json", (*pack).consistency},
	{"policies.json", (*pack).policies},
	{"consents.json", (*pack).consents},
	{"disclosures.json", (*pack).disclosures},
	{"reads.json", (*pack).reads},
	{"clauses.json", (*pack).clauses},
}

// checkPack returns what holds of a pack, in order, and the first thing that does
// not. external is a checkpoint that was kept earlier; empty for none.
func checkPack(file []byte, key, external string) (facts []string, err error) {
	files, err := unpack(file)
	if err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	p := &pack{files: files, byIndex: map[int64]int{}}
	if p.verifier, err = note.NewVerifier(strings.TrimSpace(key)); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	for _, s := range steps {
		fact, err := s.do(p)
		if err != nil {
			return facts, fmt.Errorf("%s: %w", s.name, err)
		}
		facts = append(facts, s.name+": "+fact)
	}
	if external != "" {
		fact, err := p.external(external)
		if err != nil {
			return facts, fmt.Errorf("older checkpoint: %w", err)
		}
		facts = append(facts, fact)
	}
	return facts, nil
}

// decode reads one JSON value that has no member but the known ones.
func (p *pack) decode(name string, to any) error {
	text, ok := p.files[name]
	if !ok {
		return errors.New("it is missing")
	}
	return strict(text, to)
}

func strict(text []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (p *pack) checkpoint() (string, error) {
	tree, err := checkpoint(string(p.files["log/checkpoint"]), p.verifier)
	p.tree = tree
	return fmt.Sprintf("%s signed size %d, root %s", p.verifier.Name(), tree.N, tree.Hash), err
}

// seal finds the manifest's hash in an entry that is in the log.
func (p *pack) seal() (string, error) {
	if err := p.decode("manifest.json", &p.manifest); err != nil {
		return "", err
	}
	if p.Format != "skybridge-pack/v1" || !slices.Contains([]string{"person", "auditor"}, p.Kind) || p.person() != (p.Subject != "") {
		return "", fmt.Errorf("unknown format %q of kind %q", p.Format, p.Kind)
	}
	var s struct {
		entry
		Hashes []string `json:"hashes"`
	}
	if err := p.decode("log/seal.json", &s); err != nil {
		return "", fmt.Errorf("log/seal.json: %w", err)
	}
	if err := s.read(); err != nil {
		return "", fmt.Errorf("log/seal.json: %w", err)
	}
	if err := (inclusion{s.Index, s.Leaf, s.Hashes}).check(p.tree); err != nil {
		return "", fmt.Errorf("log/seal.json: %w", err)
	}
	if s.kind != "proof.pack" || s.handle != p.Subject || s.detail == nil || s.detail.Detail["manifest"] != hexSum(p.files["manifest.json"]) {
		return "", fmt.Errorf("entry %d of the log is not about this manifest", s.Index)
	}
	if s.Index < p.Size {
		return "", fmt.Errorf("the pack tells %d entries and was bound to the log at %d", p.Size, s.Index)
	}
	whose := "for an auditor, of everybody"
	if p.Subject != "" {
		whose = "of " + p.Subject
	}
	return fmt.Sprintf("entry %d of the log says that this pack, %s, was made at %s", s.Index, whose, p.MadeAt), nil
}

// proven are the files that the checkpoint holds, not the manifest.
var proven = []string{"manifest.json", "log/checkpoint", "log/seal.json", "log/proofs.jsonl", "log/consistency.json"}

func (p *pack) hashes() (string, error) {
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		text, ok := p.files[name]
		if !ok {
			return "", fmt.Errorf("%s is missing", name)
		}
		if hexSum(text) != p.Files[name] {
			return "", fmt.Errorf("%s is not what the manifest names", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if _, ok := p.Files[name]; !ok && !slices.Contains(proven, name) {
			return "", fmt.Errorf("%s is not in the manifest", name)
		}
	}
	return fmt.Sprintf("%d are what the manifest names", len(p.Files)), nil
}

func (p *pack) clauses() (string, error) {
	var rows []struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	if err := json.Unmarshal(p.files["clauses.json"], &rows); err != nil {
		return "", err
	}
	sums := map[string]int{}
	for _, r := range rows {
		sums[r.State]++
	}
	var said []string
	for _, state := range slices.Sorted(maps.Keys(sums)) {
		said = append(said, fmt.Sprintf("%d %s", sums[state], state))
	}
	return fmt.Sprintf("%d clauses: %s", len(rows), strings.Join(said, ", ")), nil
}
