package consent

import (
	"fmt"
	"html"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/markdown"
)

// toHTML renders a canonical text: one section per clause, its id as anchor.
func toHTML(canonical string) (string, error) {
	var out strings.Builder
	open, seen := false, map[string]int{}
	for _, b := range strings.Split(strings.TrimSpace(canonical), "\n\n") {
		body := b
		tag := clauseTag.FindString(b)
		heading := strings.HasPrefix(b, "#")
		if open && (tag != "" || heading) {
			out.WriteString("</section>\n")
			open = false
		}
		if tag != "" {
			ids := strings.Fields(strings.Trim(tag, "[] "))
			anchor := ids[0] // of a clause's second paragraph LT-1.1b-2
			if seen[anchor]++; seen[anchor] > 1 {
				anchor += fmt.Sprintf("-%d", seen[anchor])
			}
			fmt.Fprintf(&out, `<section class="clause" id="%s">`+"\n", html.EscapeString(anchor))
			open, body = true, b[len(tag):]
		}
		page, err := markdown.HTML(body)
		if err != nil {
			return "", err
		}
		out.WriteString(page)
	}
	if open {
		out.WriteString("</section>\n")
	}
	return out.String(), nil
}

// clauseIDs lists the ids of a canonical text in order.
func clauseIDs(canonical string) []string {
	var ids []string
	for _, b := range strings.Split(canonical, "\n\n") {
		if tag := clauseTag.FindString(b); tag != "" {
			ids = append(ids, strings.Fields(strings.Trim(tag, "[] "))...)
		}
	}
	return ids
}
