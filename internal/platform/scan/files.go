package scan

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Hit is a value that was found.
type Hit struct {
	Place string `json:"place"` // file in the directory, or table.column
	Form  Form   `json:"form"`
	Times int64  `json:"times"`
}

// Report is what a scan looked at and found.
type Report struct {
	Values int      `json:"values"` // that were looked for
	Forms  int      `json:"forms"`  // sequences of bytes
	Files  int64    `json:"files"`
	Bytes  int64    `json:"bytes"` // of the files, unpacked ones included
	Cells  int64    `json:"cells"` // columns of tables that were searched
	Hits   []Hit    `json:"hits"`
	Unread []string `json:"unread"` // what this scan cannot reach
}

// add joins what another part of a scan found.
func (r *Report) add(place string, found map[Form]int64) {
	for _, f := range slices.Sorted(keys(found)) {
		r.Hits = append(r.Hits, Hit{place, f, found[f]})
	}
}

func keys(m map[Form]int64) func(func(Form) bool) {
	return func(yield func(Form) bool) {
		for f := range m {
			if !yield(f) {
				return
			}
		}
	}
}

// Join adds what another scan of the same patterns looked at and found.
func (r *Report) Join(o Report) {
	r.Values, r.Forms = max(r.Values, o.Values), max(r.Forms, o.Forms)
	r.Files, r.Bytes, r.Cells = r.Files+o.Files, r.Bytes+o.Bytes, r.Cells+o.Cells
	r.Hits, r.Unread = append(r.Hits, o.Hits...), append(r.Unread, o.Unread...)
}

// maxUnpacked bounds what is unpacked of one file: an archive can be made to
// unpack to anything.
const maxUnpacked = 4 << 30

// ErrTooBig says that an archive unpacks to more than is looked through.
var ErrTooBig = errors.New("scan: an archive is too big to be looked through")

// Elsewhere is Files for a place that may be on another machine, or on storage that
// is not mounted: one that is not there is named as unread. Places are told below
// name.
func (p *Patterns) Elsewhere(ctx context.Context, name, path string) (Report, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Report{Values: p.values, Forms: len(p.all), Hits: []Hit{}, Unread: []string{name + ": not on this machine"}}, nil
	}
	r, err := p.Files(ctx, path)
	for i := range r.Hits {
		r.Hits[i].Place = filepath.Join(name, r.Hits[i].Place)
	}
	for i := range r.Unread {
		r.Unread[i] = filepath.Join(name, r.Unread[i])
	}
	return r, err
}

// Files looks through every regular file below a directory, and inside those
// that gzip or zip packed. A file that goes away meanwhile is no error; one that
// cannot be read is. The directory may be a link; one below it is not followed,
// and named as unread.
func (p *Patterns) Files(ctx context.Context, dir string) (Report, error) {
	r := Report{Values: p.values, Forms: len(p.all), Hits: []Hit{}, Unread: []string{}}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		place, err := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case e.Type()&fs.ModeSymlink != 0:
			r.Unread = append(r.Unread, place+": a link")
			return nil
		case !e.Type().IsRegular():
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return p.file(&r, path, place)
	})
	if err != nil {
		return r, fmt.Errorf("looking through %s: %w", dir, err)
	}
	return r, nil
}

func (p *Patterns) file(r *Report, path, place string) error {
	f, err := os.Open(path) //nolint:gosec // below the directory that was asked for
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r.Files++
	in := bufio.NewReaderSize(f, chunk)
	magic, _ := in.Peek(4)
	found, n, err := p.Reader(in)
	r.Bytes += n
	r.add(place, found)
	if err == nil {
		err = p.packed(r, f, magic, place)
	}
	return err
}

// packed looks into an archive. One that is cut short, or only begins like one,
// was looked through as it stands already.
func (p *Patterns) packed(r *Report, f *os.File, magic []byte, place string) error {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil //nolint:nilerr // no archive after all
		}
		return p.unpack(r, z, place+"!")
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		info, err := f.Stat()
		if err != nil {
			return err
		}
		z, err := zip.NewReader(f, info.Size())
		if err != nil {
			return nil //nolint:nilerr // no archive after all
		}
		for _, member := range z.File {
			in, err := member.Open()
			if err != nil {
				continue // encrypted or of an unknown kind: its bytes were looked through
			}
			err = p.unpack(r, in, place+"!"+member.Name)
			_ = in.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Patterns) unpack(r *Report, in io.Reader, place string) error {
	found, n, err := p.Reader(io.LimitReader(in, maxUnpacked))
	r.Bytes += n
	r.add(place, found)
	switch {
	case n == maxUnpacked:
		return fmt.Errorf("%s: %w", place, ErrTooBig)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), err != nil && strings.Contains(err.Error(), "flate"):
		return nil // what could be unpacked was looked through
	}
	return err
}

const chunk = 256 << 10

// Reader looks through a stream and counts what it finds, by form; n is the
// bytes read.
func (p *Patterns) Reader(in io.Reader) (found map[Form]int64, n int64, err error) {
	found = map[Form]int64{}
	hit := func(i int32) { found[p.all[i].form]++ }
	overlap := max(p.find.longest-1, 0)
	buf := make([]byte, chunk+overlap)
	defer clear(buf)
	kept := 0 // bytes of the last turn: a pattern may have begun in them
	for {
		got, err := in.Read(buf[kept:])
		n += int64(got)
		text, limit := buf[:kept+got], kept+got
		if err == nil {
			limit = max(0, limit-overlap)
		}
		p.find.run(text, limit, hit)
		kept = copy(buf, text[limit:])
		if errors.Is(err, io.EOF) {
			return found, n, nil
		}
		if err != nil {
			return found, n, err
		}
	}
}
