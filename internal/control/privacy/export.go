package privacy

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Copier makes copies of what is held of a person (PIPL 45, LT-4.1).
type Copier struct {
	DB     *db.DB
	Vault  *vault.Vault
	Held   []holding.Held
	Tables []holding.Table // the data map
	Clock  clock.Clock     // nil: what is hidden for a time stays hidden
	Span   holding.View    // From and Until: only what happened then
}

func (c Copier) view() holding.View {
	v := c.Span
	if c.Clock != nil {
		v.Now = c.Clock.Now()
	}
	return v
}

// Copy returns a ZIP: of each table that holds rows of the person a JSON and a
// CSV file, and manifest.json with the SHA-256 of each. All values sealed
// for the person are opened with one ticket, so that their read log shows one
// read; those sealed with the key of a day are recorded under that day.
func (c Copier) Copy(ctx context.Context, p holding.Person, by vault.Reader, purpose string) ([]byte, error) {
	return c.CopyFor(ctx, p, vault.Read{Reader: by, Fields: c.fields(), Purpose: purpose, Reason: "copy"})
}

// CopyFor is Copy for a reading that the caller describes; its subject is the
// person, and its fields are at least the sealed ones of the copier's tables.
func (c Copier) CopyFor(ctx context.Context, p holding.Person, read vault.Read) ([]byte, error) {
	read.Subject = p.Handle
	t := c.tickets(read)
	if _, err := t.of(ctx, p.Handle); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, h := range c.Held {
		if mutant.Off("LT-4.1") && len(h.Opens) > 0 {
			continue
		}
		table := c.table(h.Table)
		rows, err := h.Rows(ctx, c.DB, table, p, c.view())
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		for _, row := range rows {
			if err := t.open(ctx, h, row, p); err != nil {
				return nil, err
			}
		}
		if err := render(files, table, h, rows); err != nil {
			return nil, err
		}
	}
	return pack(files)
}

// portable is of what the person gave, by consent or for the contract, and of
// nothing that the law had us add (PIPL 45, NDR 25).
func (c Copier) portable() Copier {
	var tables []holding.Table
	for _, t := range c.Tables {
		kept, personal := holding.Table{Name: t.Name}, false
		for _, column := range t.Columns {
			given := column.Basis == holding.ByConsent || column.Basis == holding.ByContract
			personal = personal || given && column.Category != holding.AccountSecret
			if column.Category == "" || given || mutant.Off("SUP-4") {
				kept.Columns = append(kept.Columns, column)
			}
		}
		if personal || mutant.Off("SUP-4") {
			tables = append(tables, kept)
		}
	}
	var held []holding.Held
	for _, h := range c.Held {
		if t, ok := tableOf(tables, h.Table); ok {
			held = append(held, h.Within(t))
		}
	}
	c.Held, c.Tables = held, tables
	return c
}

// Names are the columns that a copy of a person would show: of each table that
// holds rows of theirs.
func (c Copier) Names(ctx context.Context, p holding.Person) (all []string, err error) {
	for _, h := range c.Held {
		table := c.table(h.Table)
		rows, err := h.Rows(ctx, c.DB, table, p, c.view())
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		for _, column := range h.Columns(table) {
			all = append(all, h.Table+"."+column)
		}
	}
	return all, nil
}

func (c Copier) tickets(read vault.Read) *tickets {
	return &tickets{c, read, map[id.Handle]vault.Ticket{}}
}

// fields are the sealed columns that a copy opens.
func (c Copier) fields() (all []string) {
	for _, h := range c.Held {
		for _, o := range h.Opens {
			all = append(all, vault.Ref{Table: h.Table, Column: o.Column}.Field())
		}
	}
	return all
}

func (c Copier) table(name string) holding.Table {
	t, _ := tableOf(c.Tables, name)
	t.Name = name
	return t
}

func tableOf(all []holding.Table, name string) (t holding.Table, ok bool) {
	i := slices.IndexFunc(all, func(t holding.Table) bool { return t.Name == name })
	if i < 0 {
		return t, false
	}
	return all[i], true
}

// open replaces sealed cells of a row by their values. A value whose key is gone at its class's end is nothing too.
func (t *tickets) open(ctx context.Context, h holding.Held, row holding.Row, p holding.Person) error {
	for _, o := range h.Opens {
		sealed, ok := row[o.Column].([]byte)
		if !ok || len(sealed) == 0 {
			row[o.Column] = nil
			continue
		}
		value, err := t.value(ctx, h, o, row, p, sealed)
		if errors.Is(err, vault.ErrErased) {
			row[o.Column] = nil
			continue
		}
		if err != nil {
			return err
		}
		row[o.Column] = value
	}
	return nil
}

func (t *tickets) value(ctx context.Context, h holding.Held, o holding.Opens, row holding.Row, p holding.Person, sealed []byte) (string, error) {
	ref := vault.Ref{Table: h.Table, Column: o.Column, Row: text(row[o.Row]), Subject: p.Handle, Class: o.KeyClass(row)}
	if o.Subject != nil {
		ref.Subject = o.Subject(row)
	}
	ticket, err := t.of(ctx, ref.Subject)
	if err != nil {
		return "", err
	}
	plain, err := t.Vault.Open(ctx, ticket, ref, sealed)
	if errors.Is(err, vault.ErrTicket) { // a copy of much takes longer than a ticket lives
		delete(t.have, ref.Subject)
		if ticket, err = t.of(ctx, ref.Subject); err == nil {
			plain, err = t.Vault.Open(ctx, ticket, ref, sealed)
		}
	}
	if err != nil || o.Text == nil {
		return string(plain), err
	}
	return o.Text(plain)
}

// tickets are the recorded reads of one copy, by whose key they use.
type tickets struct {
	Copier
	read vault.Read
	have map[id.Handle]vault.Ticket
}

func (t *tickets) of(ctx context.Context, subject id.Handle) (vault.Ticket, error) {
	if ticket, ok := t.have[subject]; ok {
		return ticket, nil
	}
	read := t.read
	if read.Subject != subject {
		read.Subject, read.Of = subject, read.For()
	}
	ticket, err := t.Vault.Begin(ctx, read)
	if err == nil {
		t.have[subject] = ticket
	}
	return ticket, err
}

// text writes a cell for a person; bytes that are no text become hex.
func text(v any) string {
	b, ok := v.([]byte)
	switch {
	case v == nil:
		return ""
	case ok && utf8.Valid(b):
		return string(b)
	case ok:
		return hex.EncodeToString(b)
	}
	return fmt.Sprint(v)
}

// render adds the two files of one table.
func render(files map[string][]byte, t holding.Table, h holding.Held, rows []holding.Row) error {
	names := h.Columns(t)
	var sheet bytes.Buffer
	w := csv.NewWriter(&sheet)
	_ = w.Write(names) // a buffer takes all; Error tells
	objects := make([]map[string]string, len(rows))
	for i, row := range rows {
		line := make([]string, len(names))
		objects[i] = map[string]string{}
		for n, name := range names {
			line[n] = text(row[name])
			objects[i][name] = line[n]
		}
		_ = w.Write(line)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(objects, "", "  ")
	if err != nil {
		return err
	}
	files[t.Name+".csv"], files[t.Name+".json"] = sheet.Bytes(), raw
	return nil
}

// pack writes the archive, files in order of their names and the manifest last.
func pack(files map[string][]byte) ([]byte, error) {
	sums := map[string]string{}
	for name, b := range files {
		sum := sha256.Sum256(b)
		sums[name] = hex.EncodeToString(sum[:])
	}
	manifest, err := json.MarshalIndent(sums, "", "  ")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range append(slices.Sorted(maps.Keys(files)), "manifest.json") {
		b, ok := files[name]
		if !ok {
			b = manifest
		}
		w, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
