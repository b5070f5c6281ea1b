package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proof is the proof file.
type proof struct {
	Format      string     `json:"format"`
	Verifier    string     `json:"verifier"` // ignored
	Checkpoint  string     `json:"checkpoint"`
	Inclusion   *inclusion `json:"inclusion"`
	Older       string     `json:"older_checkpoint"`
	Consistency []string   `json:"consistency"`
}

type inclusion struct {
	Index  int64    `json:"index"`
	Leaf   string   `json:"leaf"`
	Hashes []string `json:"hashes"`
}

// check returns what holds, in order, and the first thing that does not.
func check(file []byte, key string) (facts []string, err error) {
	p, err := read(file)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	tree, err := checkpoint(p.Checkpoint, verifier)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	facts = append(facts, fmt.Sprintf("checkpoint: %s signed size %d, root %s", verifier.Name(), tree.N, tree.Hash))
	if p.Inclusion != nil {
		if err := p.Inclusion.check(tree); err != nil {
			return facts, fmt.Errorf("inclusion: %w", err)
		}
		facts = append(facts, fmt.Sprintf("inclusion: entry %d is in it: %s", p.Inclusion.Index, strings.Join(strings.Fields(p.Inclusion.Leaf)[1:], " ")))
	}
	if p.Older == "" && p.Consistency == nil {
		return facts, nil
	}
	older, err := p.consistent(tree, verifier)
	if err != nil {
		return facts, fmt.Errorf("consistency: %w", err)
	}
	return append(facts, fmt.Sprintf("consistency: it continues the checkpoint of size %d", older.N)), nil
}

// read takes a proof file, or a checkpoint alone.
func read(file []byte) (proof, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(file), []byte("{")) {
		return proof{Checkpoint: string(file)}, nil
	}
	var p proof
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fmt.Errorf("proof file: %w", err)
	}
	if p.Format != "skybridge-proof/v1" {
		return p, fmt.Errorf("proof file: unknown format %q", p.Format)
	}
	return p, nil
}

// checkpoint verifies a signed note and reads its three lines.
func checkpoint(text string, verifier note.Verifier) (tlog.Tree, error) {
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("it is not origin, size and root of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("root: %w", err)
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

func (i inclusion) check(tree tlog.Tree) error {
	if err := leaf(i.Leaf); err != nil {
		return err
	}
	path, err := hashes(i.Hashes)
	if err != nil {
		return err
	}
	if i.Index < 0 || i.Index >= tree.N {
		return fmt.Errorf("entry %d is beyond size %d", i.Index, tree.N)
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, i.Index, tlog.RecordHash([]byte(i.Leaf)))
}

// leaf checks the form of an entry: format, type, time, handle, commitment, one
// per line.
func leaf(text string) error {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || lines[0] != "skybridge-log/v1" || lines[1] == "" || lines[5] != "" {
		return errors.New("the entry is not one of skybridge-log/v1")
	}
	if _, err := time.Parse(time.RFC3339Nano, lines[2]); err != nil {
		return errors.New("the entry's time is malformed")
	}
	if c, err := hex.DecodeString(lines[4]); err != nil || len(c) != tlog.HashSize {
		return errors.New("the entry's commitment is malformed")
	}
	return nil
}

func (p proof) consistent(tree tlog.Tree, verifier note.Verifier) (tlog.Tree, error) {
	older, err := checkpoint(p.Older, verifier)
	if err != nil {
		return older, fmt.Errorf("older checkpoint: %w", err)
	}
	if older.N > tree.N {
		return older, fmt.Errorf("the older checkpoint has size %d, the newer %d", older.N, tree.N)
	}
	path, err := hashes(p.Consistency)
	if err != nil {
		return older, err
	}
	return older, tlog.CheckTree(path, tree.N, tree.Hash, older.N, older.Hash)
}

func hashes(texts []string) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(texts))
	for i, t := range texts {
		raw, err := base64.StdEncoding.DecodeString(t)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, fmt.Errorf("hash %d is malformed", i)
		}
		copy(all[i][:], raw)
	}
	return all, nil
}
