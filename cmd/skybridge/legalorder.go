package main

import (
	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/app"
)

// legalOrder is what an authority needs, without an installation.
func (o *options) legalOrder() *cobra.Command {
	c := &cobra.Command{Use: "legal-order", Short: "Keys and files of orders of authorities"}
	c.AddCommand(&cobra.Command{
		Use: "keygen FILE", Short: "Make an authority's key: the private half in FILE, the public one in FILE.pub", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return app.OrderKey(args[0], o.out) },
	}, &cobra.Command{
		Use: "open KEY ORDER FILE ZIP", Short: "Open the file that answers an order", Args: cobra.ExactArgs(4),
		RunE: func(_ *cobra.Command, args []string) error {
			return app.OpenOrder(args[0], args[1], args[2], args[3])
		},
	})
	return c
}
