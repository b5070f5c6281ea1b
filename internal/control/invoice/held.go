package invoice

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: the documents of their account, which an
// erasure leaves to the law.
func Held() []holding.Held {
	kept := &holding.Keeps{Class: class, Law: "ECL 31", Until: "year+operator"}
	return []holding.Held{
		{
			Table: "invoice_line", By: holding.ByAccount, Keeps: kept,
			Where: "document_id IN (SELECT id FROM invoice_document WHERE account_id = $1)",
			Dated: "(SELECT d.issued_at FROM invoice_document d WHERE d.id = document_id)",
		},
		{Table: "invoice_document", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "issued_at"},
	}
}
