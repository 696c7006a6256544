package local

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// options are the flags of the program, checked.
type options struct {
	addr       string
	store      string
	folds      map[string]string // fingerprint by view
	deployment string
	parent     bool
	verbose    bool
	faults     faults
}

// parseFlags reads the flags; it writes help and what is wrong to out.
func parseFlags(args []string, out io.Writer) (*options, error) {
	o := &options{folds: map[string]string{}}
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "loopback `host:port` to listen on; port 0 takes a free one")
	flags.StringVar(&o.store, "store", ".esgen/local/store.db", "`file` of the store")
	flags.Func("fold", "`view=fingerprint` of the code that folds a view; repeatable", o.addFold)
	flags.StringVar(&o.deployment, "deployment", "", "`id` of the code that folds; default: a hash of this program")
	flags.BoolVar(&o.parent, "parent", false, "exit when standard input closes")
	flags.BoolVar(&o.verbose, "verbose", false, "log each batch of events")
	flags.Func("faults", "how the stream misbehaves, for tests: `seed=N,duplicate=P,reorder=P,drop=P`", o.faults.parse)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q: there are only flags", flags.Arg(0))
	}
	return o, checkLoopback(o.addr)
}

func (o *options) addFold(text string) error {
	view, fingerprint, ok := strings.Cut(text, "=")
	if !ok || view == "" || fingerprint == "" {
		return errors.New("it has the form view=fingerprint")
	}
	o.folds[view] = fingerprint
	return nil
}

// checkLoopback refuses to serve others than this machine.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr %s: %w", addr, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("-addr %s: the local program authenticates nobody, so it serves this machine only: use 127.0.0.1, ::1 or localhost", addr)
	}
	return nil
}

// isLoopback reports whether a host without a port is a name of this machine for itself.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// faults are how the stream misbehaves on purpose: the chance, from 0 to 1, that an
// event of a batch comes twice, out of its place, or not at all.
type faults struct {
	seed                     uint64
	duplicate, reorder, drop float64
}

func (f *faults) parse(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if name == "seed" {
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return err
			}
			f.seed = n
			continue
		}
		to := map[string]*float64{"duplicate": &f.duplicate, "reorder": &f.reorder, "drop": &f.drop}[name]
		if to == nil {
			return fmt.Errorf("unknown fault %q: seed, duplicate, reorder, drop", name)
		}
		p, err := strconv.ParseFloat(value, 64)
		if err != nil || !(p >= 0 && p <= 1) {
			return fmt.Errorf("%s=%s: a chance is a number from 0 to 1", name, value)
		}
		*to = p
	}
	return nil
}
