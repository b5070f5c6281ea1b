package policy

import (
	"bytes"
	_ "embed"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Component is a row of the table of third-party components (TY-2.4).
type Component struct {
	Module    string `yaml:"module" json:"module"` // path of the Go module; "std" for Go itself
	Name      string `yaml:"name" json:"name"`
	Purpose   Words  `yaml:"purpose" json:"purpose"`
	Access    Words  `yaml:"access" json:"access"` // permission that it uses, or information
	Developer string `yaml:"developer" json:"developer"`
	Link      string `yaml:"link" json:"link"`
	Policy    string `yaml:"policy" json:"policy"` // its privacy policy; empty: it has none
	Version   string `yaml:"-" json:"version,omitempty"`
	Reviewed  bool   `yaml:"-" json:"reviewed"` // a row of the registry; else it is shown as unknown
}

//go:embed components.yaml
var componentsYAML []byte

var registry = sync.OnceValue(func() []Component {
	var all []Component
	dec := yaml.NewDecoder(bytes.NewReader(componentsYAML))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	for i := range all {
		all[i].Reviewed = true
	}
	return all
})

// Registry lists every component that was reviewed, linked on this system or not.
func Registry() []Component { return slices.Clone(registry()) }

// Linked are the modules in this program by their versions, Go itself as "std".
func Linked() map[string]string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return map[string]string{}
	}
	all := map[string]string{"std": info.GoVersion}
	for _, m := range info.Deps {
		all[m.Path] = m.Version
	}
	return all
}

// Components joins the modules of a program to the registry. A module without a
// row is in the table too, as one that nobody reviewed: the table hides nothing.
func Components(linked map[string]string) []Component {
	var all []Component
	for module, version := range linked {
		c := Component{Module: module, Name: module}
		if i := slices.IndexFunc(registry(), func(r Component) bool { return r.Module == module }); i >= 0 {
			c = registry()[i]
		}
		c.Version = version
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Component) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Unreviewed lists the modules of a program that the registry has no row for; the
// test of a program wants none.
func Unreviewed(linked map[string]string) []string {
	var missing []string
	for _, c := range Components(linked) {
		if !c.Reviewed && !mutant.Off("TY-2.4") {
			missing = append(missing, c.Module)
		}
	}
	return missing
}

var headings = map[string][]string{
	"zh-CN": {"名称", "用途", "使用的权限或信息", "开发者", "链接和隐私政策"},
	"en":    {"Name", "Purpose", "Permission or information used", "Developer", "Link and privacy policy"},
}

// Table writes components as Markdown with the five columns of the policy.
func Table(all []Component, locale string) string {
	if headings[locale] == nil {
		locale = "zh-CN"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "| %s |\n|%s\n", strings.Join(headings[locale], " | "), strings.Repeat("---|", len(headings[locale])))
	for _, c := range all {
		fmt.Fprintf(&out, "| %s |\n", strings.Join(c.cells(locale), " | "))
	}
	return out.String()
}

func (c Component) cells(locale string) []string {
	if !c.Reviewed {
		unknown := map[string]string{"zh-CN": "未登记", "en": "not registered"}[locale]
		return []string{c.Name, unknown, unknown, unknown, unknown}
	}
	links := c.Link
	if c.Policy != "" {
		links += " " + c.Policy
	} else {
		links += map[string]string{"zh-CN": "（无隐私政策）", "en": " (no privacy policy)"}[locale]
	}
	name := c.Name
	if c.Version != "" {
		name += " " + c.Version
	}
	return []string{name, c.Purpose.In(locale), c.Access.In(locale), c.Developer, links}
}
