package catalog

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

//go:embed demo.yaml
var demo []byte

// Demo returns the embedded catalogue of a new installation.
func Demo() (File, error) { return ParseFile(demo) }

// File is a whole catalogue as written by a person.
type File struct {
	Regions  []FileRegion  `yaml:"regions"`
	Products []FileProduct `yaml:"products"`
	digest   string
}

// FileRegion is a Region in a file.
type FileRegion struct {
	ID       string   `yaml:"id"`
	Location Location `yaml:"location"`
	Name     Text     `yaml:"name"`
}

// FileProduct is a Product in a file.
type FileProduct struct {
	ID       string      `yaml:"id"`
	Name     Text        `yaml:"name"`
	MaxCycle int         `yaml:"max_cycle"`
	Prices   []FilePrice `yaml:"prices"`
}

// FilePrice holds the prices of a product in some regions, in minor units.
type FilePrice struct {
	Regions  []string       `yaml:"regions"`
	Currency money.Currency `yaml:"currency"`
	Base     Minor          `yaml:"base"`
	Options  []FileOption   `yaml:"options"`
}

// FileOption is an Option in a file.
type FileOption struct {
	ID     string      `yaml:"id"`
	Values []FileValue `yaml:"values"`
}

// FileValue is a Value in a file.
type FileValue struct {
	Value string `yaml:"value"`
	Price Minor  `yaml:"price"`
}

// Minor is an amount in a file. The YAML library would cut 1.5 down to 1.
type Minor int64

// UnmarshalYAML takes a whole number only.
func (m *Minor) UnmarshalYAML(n *yaml.Node) error {
	if n.Tag != "!!int" {
		return fmt.Errorf("line %d: a whole number of minor units is needed", n.Line)
	}
	var v int64
	if err := n.Decode(&v); err != nil {
		return err
	}
	*m = Minor(v)
	return nil
}

// ParseFile reads a catalogue strictly: ErrFile for an unknown key, a region
// that is not declared, a negative price or an option without values.
func ParseFile(text []byte) (File, error) {
	var f File
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	sum := sha256.Sum256(text)
	f.digest = hex.EncodeToString(sum[:])
	return f, f.validate()
}

func (f File) validate() error {
	known := map[string]bool{}
	for _, r := range f.Regions {
		if r.ID == "" || known[r.ID] || (r.Location != Mainland && r.Location != HongKong) || !r.Name.complete() {
			return fmt.Errorf("%w: region %q", ErrFile, r.ID)
		}
		known[r.ID] = true
	}
	for _, p := range f.Products {
		if p.ID == "" || p.MaxCycle < 1 || len(p.Prices) == 0 || !p.Name.complete() {
			return fmt.Errorf("%w: product %q", ErrFile, p.ID)
		}
		for _, price := range p.Prices {
			if err := price.validate(known); err != nil {
				return fmt.Errorf("%w: product %q: %w", ErrFile, p.ID, err)
			}
		}
	}
	if len(f.Regions) == 0 || len(f.Products) == 0 {
		return fmt.Errorf("%w: no regions or no products", ErrFile)
	}
	return nil
}

func (p FilePrice) validate(known map[string]bool) error {
	if _, err := money.Parse("0", p.Currency); err != nil {
		return err
	}
	for _, r := range p.Regions {
		if !known[r] {
			return fmt.Errorf("region %q is not declared", r)
		}
	}
	if p.Base < 0 {
		return fmt.Errorf("negative base price")
	}
	for _, o := range p.Options {
		if o.ID == "" || len(o.Values) == 0 {
			return fmt.Errorf("option %q has no values", o.ID)
		}
		for _, v := range o.Values {
			if v.Value == "" || v.Price < 0 {
				return fmt.Errorf("option %q, value %q", o.ID, v.Value)
			}
		}
	}
	return nil
}

func (t Text) complete() bool { return t["zh-CN"] != "" && t["en"] != "" }
