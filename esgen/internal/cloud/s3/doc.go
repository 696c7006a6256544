// Package s3 stands in for Amazon S3 on one machine: buckets in memory, behind a Go API and, with
// the bucket in the path, behind S3's own protocol.
//
// It honours putting, getting, listing and deleting one object at a time. Everything else is refused, never
// ignored: a parameter that it does not know is an error.
package s3
