package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A dump is a row of records: kind, number of values, values. It begins with a
// head and ends with an end, between them stand tables with their rows.
const (
	kindHead  = 'H' // versions of the modules, JSON
	kindTable = 'T' // name, columns
	kindRow   = 'R' // values in the order of the columns
	kindEnd   = 'E' // number of rows
)

// Kinds of values.
const (
	isNull  = 0
	isInt   = 1 // varint
	isText  = 2 // length, bytes
	isBytes = 3
)

// maxValue bounds what a length may ask for.
const maxValue = 256 << 20

var errForm = errors.New("the dump is malformed")

// writeRecord appends a record. Values are nil, int64, string or []byte.
func writeRecord(w *bufio.Writer, kind byte, values ...any) error {
	head := binary.AppendUvarint([]byte{kind}, uint64(len(values)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, v := range values {
		if err := writeValue(w, v); err != nil {
			return err
		}
	}
	return nil
}

func writeValue(w *bufio.Writer, v any) (err error) {
	switch v := v.(type) {
	case nil:
		return w.WriteByte(isNull)
	case int64:
		_, err = w.Write(binary.AppendVarint([]byte{isInt}, v))
	case string:
		if _, err = w.Write(binary.AppendUvarint([]byte{isText}, uint64(len(v)))); err == nil {
			_, err = w.WriteString(v)
		}
	case []byte:
		if _, err = w.Write(binary.AppendUvarint([]byte{isBytes}, uint64(len(v)))); err == nil {
			_, err = w.Write(v)
		}
	default:
		return fmt.Errorf("a column holds a %T, which a dump has no form for", v)
	}
	return err
}

// readRecord returns the next record; io.EOF after the last.
func readRecord(r *bufio.Reader) (kind byte, values []any, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil || n > 1<<16 {
		return 0, nil, errForm
	}
	for range n {
		v, err := readValue(r)
		if err != nil {
			return 0, nil, err
		}
		values = append(values, v)
	}
	return kind, values, nil
}

func readValue(r *bufio.Reader) (any, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, errForm
	}
	switch kind {
	case isNull:
		return nil, nil
	case isInt:
		v, err := binary.ReadVarint(r)
		if err != nil {
			return nil, errForm
		}
		return v, nil
	case isText, isBytes:
		b, err := readBytes(r)
		if kind == isText {
			return string(b), err
		}
		return b, err
	}
	return nil, errForm
}

func readBytes(r *bufio.Reader) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > maxValue {
		return nil, errForm
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errForm
	}
	return b, nil
}
