package app

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
)

// OrderKey makes an authority's key pair: the private half into file. It needs
// no installation, so that an authority makes its own.
func OrderKey(file string, out io.Writer) error {
	public, err := legalorder.Format.NewKey(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "key %s\nprivate half  %s: it alone opens the answer\npublic half   %s.pub: give it to who answers the order\n", public.Fingerprint(), file, file)
	return err
}

// OpenOrder opens the file that answers an order into a ZIP, which may not exist.
// Nothing is left of a file that was altered or cut.
func OpenOrder(key, order, from, to string) (err error) {
	k, err := legalorder.Format.ReadPrivateKey(key)
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	plain, err := legalorder.Format.Open(in, k, order)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, plain)
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}
