package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const erasureFormat = "skybridge-erasure/v1"

// certificate is the certificate of an erasure. SHA-256 of the statement, as
// compact JSON, is in the detail; SHA-256 of salt and detail is the commitment of
// the leaf.
type certificate struct {
	Format     string          `json:"format"`
	Statement  json.RawMessage `json:"statement"`
	Salt       []byte          `json:"salt"`
	Detail     []byte          `json:"detail"`
	Inclusion  inclusion       `json:"inclusion"`
	Checkpoint string          `json:"checkpoint"`
}

// statement is what of it is judged here.
type statement struct {
	Case      string    `json:"case"`
	Effective time.Time `json:"effective_at"`
	Complete  time.Time `json:"complete_at"`
	Destroyed []string  `json:"destroyed"`
	Keys      []string  `json:"keys"`
	Kept      []struct {
		Table string `json:"table"`
		Law   string `json:"law"`
		Until string `json:"until"`
	} `json:"kept"`
	Scan struct {
		Values int   `json:"values"`
		Bytes  int64 `json:"bytes"`
		Hits   int   `json:"hits"`
	} `json:"scan"`
}

func checkErasure(file []byte, key string) (facts []string, err error) {
	var c certificate
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if c.Format != erasureFormat {
		return nil, fmt.Errorf("certificate: unknown format %q", c.Format)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	tree, err := checkpoint(c.Checkpoint, verifier)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	facts = append(facts, fmt.Sprintf("checkpoint: %s signed size %d, root %s", verifier.Name(), tree.N, tree.Hash))
	if err := c.Inclusion.check(tree); err != nil {
		return facts, fmt.Errorf("inclusion: %w", err)
	}
	facts = append(facts, fmt.Sprintf("inclusion: entry %d is in it", c.Inclusion.Index))
	if err := c.bound(); err != nil {
		return facts, fmt.Errorf("certificate: %w", err)
	}
	facts = append(facts, "certificate: the entry is of exactly this statement")
	told, err := c.says()
	if err != nil {
		return facts, fmt.Errorf("statement: %w", err)
	}
	return append(facts, told...), nil
}

// bound holds statement to detail, and detail to leaf.
func (c certificate) bound() error {
	lines := strings.Split(c.Inclusion.Leaf, "\n")
	if lines[1] != "erasure.certified" {
		return fmt.Errorf("the entry is of type %q", lines[1])
	}
	if sum := sha256.Sum256(append(bytes.Clone(c.Salt), c.Detail...)); len(c.Salt) != sha256.Size || hex.EncodeToString(sum[:]) != lines[4] {
		return errors.New("the detail is not what the entry commits to")
	}
	var detail struct {
		Detail map[string]string `json:"detail"`
	}
	if err := json.Unmarshal(c.Detail, &detail); err != nil {
		return errors.New("the detail cannot be read")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, c.Statement); err != nil {
		return err
	}
	if sum := sha256.Sum256(compact.Bytes()); hex.EncodeToString(sum[:]) != detail.Detail["statement"] {
		return errors.New("the statement is not the one that was recorded")
	}
	return nil
}

// says tells what the statement states, and refuses one that contradicts itself.
func (c certificate) says() ([]string, error) {
	var s statement
	if err := json.Unmarshal(c.Statement, &s); err != nil {
		return nil, err
	}
	switch {
	case s.Scan.Hits != 0:
		return nil, fmt.Errorf("%d values were found", s.Scan.Hits)
	case s.Effective.IsZero() || s.Complete.Before(s.Effective):
		return nil, errors.New("it is complete before it takes effect")
	}
	facts := []string{
		fmt.Sprintf("erasure %s: %d tables emptied, keys of %d classes destroyed at %s", s.Case, len(s.Destroyed), len(s.Keys), s.Effective.Format(time.DateTime)),
		fmt.Sprintf("search: %d values in %d bytes, none found", s.Scan.Values, s.Scan.Bytes),
		"complete: last backup of a key gone at " + s.Complete.Format(time.DateTime),
	}
	for _, k := range s.Kept {
		facts = append(facts, fmt.Sprintf("kept: %s by %s until %s", k.Table, k.Law, k.Until))
	}
	return facts, nil
}
