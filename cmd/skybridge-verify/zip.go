package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Limits of a pack. What is read stays in memory; nothing is ever written.
const (
	maxFiles = 100
	maxFile  = 512 << 20 // bytes of one file, unpacked
	maxAll   = 1 << 30   // of all of them
	maxRatio = 200       // unpacked to packed, of what is larger than freeSize
	freeSize = 1 << 20
)

// unpack reads a zip into memory. It believes no size that the zip tells.
func unpack(file []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("%d files, %d at most", len(z.File), maxFiles)
	}
	all, left := map[string][]byte{}, int64(maxAll)
	for _, f := range z.File {
		if !fs.ValidPath(f.Name) || strings.Contains(f.Name, `\`) || !f.Mode().IsRegular() {
			return nil, fmt.Errorf("%q is no name for a file of a pack", f.Name)
		}
		if _, twice := all[f.Name]; twice {
			return nil, fmt.Errorf("%s is there twice", f.Name)
		}
		if all[f.Name], err = content(f, min(left, maxFile)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		left -= int64(len(all[f.Name]))
	}
	return all, nil
}

func content(f *zip.File, most int64) ([]byte, error) {
	if packed := int64(f.CompressedSize64); packed < most/maxRatio { //nolint:gosec // a negative size is caught by the reader
		most = max(packed*maxRatio, freeSize)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("it unpacks to more than %d bytes", most)
	}
	return text, err
}
