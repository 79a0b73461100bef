"""What turns images into keypoints."""
