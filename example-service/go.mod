module example.com/orders

go 1.26

require github.com/esgen/esgen v0.1.0

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.45.0 // indirect
)

replace github.com/esgen/esgen => ..
