-- Funnels of simulated contacts and prices of channels are gone, with the jobs that counted funnels.
delete from queue.pgqueuer where entrypoint = 'forecast_workflow';
drop table console.funnel;
alter table console.channel drop column price;
