package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynq/x/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// cmdMetrics prints one scrape of x/metrics, as metrics_exporter would answer
// it: the only command whose output is no JSON.
func cmdMetrics(args []string) error {
	fs := flag.NewFlagSet("metrics", flag.ContinueOnError)
	uri := fs.String("redis", "", "redis URI, as asynq.ParseRedisURI reads it")
	if err := fs.Parse(args); err != nil {
		return err
	}
	opt, err := redisOpt(*uri)
	if err != nil {
		return err
	}
	inspector := asynq.NewInspector(opt)
	defer inspector.Close()
	registry := prometheus.NewRegistry()
	if err := registry.Register(metrics.NewQueueMetricsCollector(inspector)); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(os.Stdout, family); err != nil {
			return fmt.Errorf("write a family: %w", err)
		}
	}
	return nil
}
