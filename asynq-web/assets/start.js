
dress();
live?.start();
