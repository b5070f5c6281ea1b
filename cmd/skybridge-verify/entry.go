package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// entry is one entry of the log. SHA-256 of salt and payload is its commitment.
type entry struct {
	Index   int64  `json:"index"`
	Leaf    string `json:"leaf"`
	Salt    []byte `json:"salt"`
	Payload []byte `json:"payload"`
	Erased  bool   `json:"erased"`

	kind, handle string
	detail       *detail // nil: it is not told
}

// detail is what a payload says.
type detail struct {
	Account string            `json:"account"`
	Class   string            `json:"class"`
	Actor   string            `json:"actor"`
	Session string            `json:"session"`
	Detail  map[string]string `json:"detail"`
}

const saltSize = 32

// read takes the leaf apart and holds its detail to its commitment.
func (e *entry) read() error {
	if err := leaf(e.Leaf); err != nil {
		return err
	}
	lines := strings.Split(e.Leaf, "\n")
	e.kind, e.handle = lines[1], lines[3]
	if e.Payload == nil && e.Salt == nil {
		return nil
	}
	if e.Erased || len(e.Salt) != saltSize {
		return errors.New("its detail is malformed")
	}
	sum := sha256.Sum256(append(bytes.Clone(e.Salt), e.Payload...))
	if hex.EncodeToString(sum[:]) != lines[4] {
		return errors.New("its detail is not what it commits to")
	}
	e.detail = &detail{}
	return strict(e.Payload, e.detail)
}

// ours are the entries about nobody that a person's pack may tell.
func ours(kind string) bool {
	return kind == "policy.published" || strings.HasPrefix(kind, "retention.")
}

// log reads the entries and proves each of them.
func (p *pack) log() (string, error) {
	if err := p.readEntries(); err != nil {
		return "", err
	}
	if p.person() {
		return p.included()
	}
	return p.contiguous()
}

func (p *pack) readEntries() error {
	last := int64(-1)
	dec := json.NewDecoder(bytes.NewReader(p.files["log/entries.jsonl"]))
	dec.DisallowUnknownFields()
	for dec.More() {
		var e entry
		if err := dec.Decode(&e); err != nil {
			return fmt.Errorf("after entry %d: %w", last, err)
		}
		if err := e.read(); err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		if e.Index <= last || e.Index >= p.Size {
			return fmt.Errorf("entry %d stands after entry %d of %d", e.Index, last, p.Size)
		}
		if err := p.belongs(e); err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		last, p.byIndex[e.Index] = e.Index, len(p.entries)
		p.entries = append(p.entries, e)
	}
	return nil
}

// belongs holds an entry to the kind of the pack.
func (p *pack) belongs(e entry) error {
	switch {
	case !p.person() && e.handle != "" && (e.detail != nil || e.Erased):
		return errors.New("an auditor's pack tells the detail of a person")
	case p.person() && e.handle != p.Subject && (e.handle != "" || !ours(e.kind)):
		return errors.New("it is about somebody else")
	case p.person() && e.detail == nil && !e.Erased:
		return errors.New("its detail is not told")
	}
	return nil
}

// included proves each entry of a person in the checkpoint.
func (p *pack) included() (string, error) {
	dec := json.NewDecoder(bytes.NewReader(p.files["log/proofs.jsonl"]))
	dec.DisallowUnknownFields()
	for _, e := range p.entries {
		var proof struct {
			Index  int64    `json:"index"`
			Hashes []string `json:"hashes"`
		}
		if err := dec.Decode(&proof); err != nil {
			return "", fmt.Errorf("log/proofs.jsonl: entry %d: %w", e.Index, err)
		}
		if proof.Index != e.Index {
			return "", fmt.Errorf("log/proofs.jsonl: entry %d has no proof in its place", e.Index)
		}
		if err := (inclusion{e.Index, e.Leaf, proof.Hashes}).check(p.tree); err != nil {
			return "", fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
	if dec.More() {
		return "", errors.New("log/proofs.jsonl: more proofs than entries")
	}
	return fmt.Sprintf("%d entries are in the checkpoint, each as its detail says", len(p.entries)), nil
}

// storedHashes are the hashes of a tree, to read proofs from.
type storedHashes []tlog.Hash

// ReadHashes fills tlog.HashReader.
func (s storedHashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is beyond the entries", n)
		}
		all[i] = s[n]
	}
	return all, nil
}

// contiguous builds the tree of all entries of an auditor's pack. The file
// log/consistency.json proves it in the checkpoint.
func (p *pack) contiguous() (string, error) {
	if int64(len(p.entries)) != p.Size || p.Size == 0 {
		return "", fmt.Errorf("%d entries of %d", len(p.entries), p.Size)
	}
	for _, e := range p.entries { // ascending and below Size: there is no gap
		added, err := tlog.StoredHashes(e.Index, []byte(e.Leaf), p.stored)
		if err != nil {
			return "", err
		}
		p.stored = append(p.stored, added...)
	}
	return fmt.Sprintf("all %d entries from the first one on", p.Size), nil
}

// older is an older size that the checkpoint continues.
type older struct {
	Size   int64    `json:"size"`
	Note   string   `json:"checkpoint"`
	Hashes []string `json:"hashes"`
}

func (p *pack) continuations() (all []older, err error) {
	return all, p.decode("log/consistency.json", &all)
}

func (p *pack) consistency() (string, error) {
	all, err := p.continuations()
	if err != nil {
		return "", err
	}
	entries := false
	for _, o := range all {
		tree, err := p.olderTree(o)
		if err != nil {
			return "", fmt.Errorf("size %d: %w", o.Size, err)
		}
		if err := p.continues(o, tree); err != nil {
			return "", fmt.Errorf("size %d: %w", o.Size, err)
		}
		entries = entries || o.Note == "" && o.Size == p.Size
	}
	if !p.person() && !entries {
		return "", errors.New("nothing proves the entries in the checkpoint")
	}
	return fmt.Sprintf("the checkpoint continues %d older sizes", len(all)), nil
}

// olderTree is what was signed, or the tree of the entries.
func (p *pack) olderTree(o older) (tlog.Tree, error) {
	if o.Note != "" {
		return checkpoint(o.Note, p.verifier)
	}
	return p.treeOf(o.Size)
}

func (p *pack) treeOf(size int64) (tlog.Tree, error) {
	if p.person() || size < 1 || size > p.Size {
		return tlog.Tree{}, errors.New("it is not signed")
	}
	root, err := tlog.TreeHash(size, p.stored)
	return tlog.Tree{N: size, Hash: root}, err
}

func (p *pack) continues(o older, tree tlog.Tree) error {
	path, err := hashes(o.Hashes)
	if err != nil {
		return err
	}
	if tree.N != o.Size || tree.N > p.tree.N {
		return fmt.Errorf("its checkpoint has size %d", tree.N)
	}
	return tlog.CheckTree(path, p.tree.N, p.tree.Hash, tree.N, tree.Hash)
}

// external holds the pack to a checkpoint that was kept somewhere else.
func (p *pack) external(text string) (string, error) {
	kept, err := checkpoint(text, p.verifier)
	if err != nil {
		return "", err
	}
	fact := fmt.Sprintf("the log continues the checkpoint of size %d that was kept", kept.N)
	switch {
	case kept.N > p.tree.N:
		return "", fmt.Errorf("it has size %d and this log %d: the log was rolled back", kept.N, p.tree.N)
	case kept.N == p.tree.N && kept.Hash == p.tree.Hash:
		return fact, nil
	case kept.N == p.tree.N:
		return "", errors.New("this log has another root at the same size")
	}
	all, err := p.continuations()
	if err != nil {
		return "", err
	}
	for _, o := range all {
		if o.Size == kept.N {
			return fact, p.continues(o, kept)
		}
	}
	if p.person() {
		return "", fmt.Errorf("the pack proves nothing about size %d: ask for one since that size", kept.N)
	}
	mine, err := p.treeOf(kept.N)
	if err == nil && mine.Hash != kept.Hash {
		err = fmt.Errorf("the first %d entries are not those that it was signed over", kept.N)
	}
	return fact, err
}
